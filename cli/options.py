"""The flags of ``chat`` and of its commands."""

from __future__ import annotations

import getopt
import re
from collections.abc import Callable
from functools import partial
from getpass import getuser
from importlib.metadata import PackageNotFoundError, version
from typing import Any, ClassVar, Final, NoReturn

from twisted.python.usage import Options as UsageOptions
from twisted.python.usage import UsageError

from wire.frames import LOBBY, MAX_PAGE
from wire.names import BadName, canonical, file_name

_ADDRESS = re.compile(r"(?:\[(?P<v6>[^\]]*)\]|(?P<host>[^:]*))(?::(?P<port>[0-9]+))?")


def _port(text: Any) -> int:
    if not (str(text).isascii() and str(text).isdigit() and 0 < int(text) < 65536):
        raise ValueError(f"{text!r} is not a port from 1 to 65535")
    return int(text)


def _history(text: Any) -> int:
    if not (str(text).isascii() and str(text).isdigit() and int(text) <= MAX_PAGE):
        raise ValueError(f"{text!r} is not a number of messages from 0 to {MAX_PAGE}")
    return int(text)


def message_id(text: str) -> int:
    """Return the number of a message; raises ValueError."""
    if not (text.isascii() and text.isdigit() and len(text) < 16 and int(text)):  # more than a room ever has
        raise ValueError(f"{text!r} is not the number of a message")
    return int(text)


def _value(what: str, check: Callable[[str], str], text: str) -> str:
    try:
        return check(text)
    except (BadName, UnicodeEncodeError) as why:
        raise ValueError(f"{text!r} is no {what}: {why}") from None


class AnyOptions(UsageOptions):
    """Who, where, and what every command has."""

    optParameters: ClassVar[list[list[Any]]] = [
        ["host", "h", None, "Name or address of the server. [default: 127.0.0.1]"],
        ["port", "p", None, "TCP port of the server. [default: 7777]", _port],
        ["user", "u", None, "NAME, where it could be taken for something else."],
    ]

    def opt_version(self) -> NoReturn:
        """Print the version and exit."""
        try:
            print(f"chat {version('console-chat')}")
        except PackageNotFoundError:
            print("chat, run from its source")
        raise SystemExit(0)

    def postOptions(self) -> None:
        """Fill in what was not said."""
        self["host"] = self["host"] or "127.0.0.1"
        self["port"] = self["port"] or 7777

    def parseOptions(self, options: list[str] | None = None) -> None:
        """Read the flags, before, between and behind the arguments; raises :class:`UsageError`."""
        try:
            flags, arguments = getopt.gnu_getopt(options or [], self.shortOpt, self.longOpt)
        except getopt.error as wrong:
            raise UsageError(str(wrong)) from None
        joined = [self._joined(*flag) for flag in flags]
        super().parseOptions([*joined, "--", *arguments])  # type: ignore[no-untyped-call]

    def _joined(self, flag: str, value: str) -> str:
        return f"{flag}={value}" if f"{flag[2:]}=" in self.longOpt else flag + value


class Options(AnyOptions):
    """Who talks, where and how. ``rooms`` is empty and ``history`` None where they were not given."""

    synopsis = "Usage: chat [options] [NAME] [HOST[:PORT]]"
    longdesc = (
        "Talks as NAME (your login name where left out) with everybody on a Console Chat server. "
        "In a terminal it takes the screen; with input or output redirected it is a plain filter: "
        "lines in are sent, messages come out one a line. "
        "The commands below have a --help of their own; somebody who is called like one says so with --user."
    )

    optParameters: ClassVar[list[list[Any]]] = [
        ["history", None, None, "Messages to be given of what was said before, in each room, up to 500. "
         "[default: what the server gives; none in a filter]", _history],
    ]  # fmt: skip
    optFlags: ClassVar[list[list[Any]]] = [
        ["json", "j", "Filter: write a JSON object a line (room, id, from, at in milliseconds, text ...)."],
    ]

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self["rooms"] = []
        self._address: str | None = None

    def getUsage(self, width: int | None = None) -> str:
        """Return the help: the flags, then the commands."""
        usage: str = super().getUsage(width)
        for command in _COMMANDS:
            usage += f"\n  {command.synopsis.removeprefix('Usage: ')}\n      {command.brief}"
        return f"{usage}\n"

    def opt_room(self, name: str) -> None:
        """Room to be in, may be repeated; a filter sends to the first one. [default: those of last time, or lobby]"""
        self["rooms"].append(_name(name, "room"))

    opt_r = opt_room

    def parseArgs(self, *arguments: str) -> None:
        """Take NAME and HOST[:PORT]: what has a colon is no name, of two without one the first is the name."""
        for argument in arguments:
            if ":" not in argument and self["user"] is None:
                self["user"] = argument
            elif self._address is None:
                self._address = argument
            else:
                raise UsageError(f"{argument!r} is one too many")

    def postOptions(self) -> None:
        """Fill in what was not said."""
        if self._address is not None:
            self._take_address(self._address)
        super().postOptions()
        self["user"] = _login_name() if self["user"] is None else _name(self["user"], "name")

    def _take_address(self, address: str) -> None:
        parts = _ADDRESS.fullmatch(address)
        if parts is None:
            raise UsageError(f"{address!r} is no HOST[:PORT]")
        if self["host"] is not None or (parts["port"] and self["port"] is not None):
            raise UsageError(f"{address!r} says again what a flag says")
        self["host"] = parts["v6"] or parts["host"]
        if parts["port"]:
            try:
                self["port"] = _port(parts["port"])
            except ValueError as wrong:
                raise UsageError(str(wrong)) from None


class _CommandOptions(AnyOptions):
    """What the commands have in common: a NAME that is not left out, and one ``room``."""

    brief: ClassVar[str]  # what it does, in a line

    optParameters: ClassVar[list[list[Any]]] = [
        ["room", "r", LOBBY, "Room that it is about.", partial(_value, "room", canonical)],
    ]

    def parseArgs(self, *arguments: str) -> None:
        """Take NAME, unless it was given as a flag, and what the command takes besides."""
        if self["user"] is None:
            if not arguments:
                raise UsageError("say under which NAME")
            self["user"], arguments = arguments[0], arguments[1:]
        self["user"] = _name(self["user"], "name")
        self._take(list(arguments))

    def _take(self, arguments: list[str]) -> None:
        if arguments:
            raise UsageError(f"{arguments[0]!r} is one too many")


class SendOptions(_CommandOptions):
    """What is to be sent: ``files``, never empty, ``-`` for standard input; ``name`` is None where it was not given."""

    synopsis = "Usage: chat send [options] NAME [FILE...]"
    brief = "send files of any size, or standard input as one message"
    longdesc = (
        "Sends each FILE as NAME. Without one, or for -, it sends standard input: as one text message, "
        "or as a file with --name. It ends with 0 when all of it is stored on the server. "
        "Interrupted, the same command given again goes on with a FILE where it was."
    )
    optParameters: ClassVar[list[list[Any]]] = [
        ["name", "n", None, "What the file is called there. [default: its own name]",
         partial(_value, "file's name", file_name)],
    ]  # fmt: skip

    def _take(self, arguments: list[str]) -> None:
        self["files"] = arguments or ["-"]
        if self["files"].count("-") > 1:
            raise UsageError("standard input is there only once")
        if self["name"] is not None and len(arguments) > 1:
            raise UsageError("--name is for one FILE")


class TailOptions(_CommandOptions):
    """What is to be shown: ``count`` messages, and with ``follow`` those that come."""

    synopsis = "Usage: chat tail [options] NAME"
    brief = "print the last messages of a room"
    longdesc = "Prints the last messages of a room, one a line, and ends; or stays, and prints what comes."
    optParameters: ClassVar[list[list[Any]]] = [
        ["count", "n", 100, f"How many, 0 to {MAX_PAGE}.", _history],
    ]
    optFlags: ClassVar[list[list[Any]]] = [
        ["follow", "f", "Stay, also when the connection is lost for a while."],
        ["json", "j", "Write a JSON object a line (room, id, from, at in milliseconds, text ...)."],
    ]


class SaveOptions(_CommandOptions):
    """Which message is to be saved: its ``id``, and where: ``output``, None for its own name, ``-`` for a pipe."""

    synopsis = "Usage: chat save [options] NAME ID"
    brief = "save a file, or a text too long to be shown"
    longdesc = (
        "Saves the content of message ID, whatever its size. "
        "Interrupted, the same command given again goes on where it was."
    )
    optParameters: ClassVar[list[list[Any]]] = [
        ["output", "o", None, "FILE or folder to save to, - for standard output. "
         "[default: the file's own name, message-ID.txt for a text]"],
    ]  # fmt: skip
    optFlags: ClassVar[list[list[Any]]] = [["force", "f", "Overwrite a file that is there."]]

    def _take(self, arguments: list[str]) -> None:
        if not arguments:
            raise UsageError("say the ID of the message")
        try:
            self["id"] = message_id(arguments.pop(0))
        except ValueError as wrong:
            raise UsageError(str(wrong)) from None
        super()._take(arguments)


_COMMANDS: Final = (SendOptions, TailOptions, SaveOptions)


def _name(name: str, what: str) -> str:
    try:
        return canonical(name)
    except BadName as why:
        raise UsageError(f"{name!r} is no {what}: {why}") from None


def _login_name() -> str:
    try:
        return canonical(getuser())
    except (BadName, OSError, KeyError):
        raise UsageError("say under which NAME") from None
