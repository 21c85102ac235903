"""The flags of ``chat``."""

from __future__ import annotations

import getopt
import re
from getpass import getuser
from importlib.metadata import PackageNotFoundError, version
from typing import Any, ClassVar, NoReturn

from twisted.python.usage import Options as UsageOptions
from twisted.python.usage import UsageError

from wire.frames import LOBBY, MAX_PAGE
from wire.names import BadName, canonical

_ADDRESS = re.compile(r"(?:\[(?P<v6>[^\]]*)\]|(?P<host>[^:]*))(?::(?P<port>[0-9]+))?")


def _port(text: Any) -> int:
    if not (str(text).isascii() and str(text).isdigit() and 0 < int(text) < 65536):
        raise ValueError(f"{text!r} is not a port from 1 to 65535")
    return int(text)


def _history(text: Any) -> int:
    if not (str(text).isascii() and str(text).isdigit() and int(text) <= MAX_PAGE):
        raise ValueError(f"{text!r} is not a number of messages from 0 to {MAX_PAGE}")
    return int(text)


class Options(UsageOptions):
    """Who talks, where and how. ``rooms`` is never empty, ``history`` is None where it was not given."""

    synopsis = "Usage: chat [options] [NAME] [HOST[:PORT]]"
    longdesc = (
        "Talks as NAME (your login name where left out) with everybody on a Console Chat server. "
        "In a terminal it takes the screen; with input or output redirected it is a plain filter: "
        "lines in are sent, messages come out one a line."
    )

    optParameters: ClassVar[list[list[Any]]] = [
        ["host", "h", None, "Name or address of the server. [default: 127.0.0.1]"],
        ["port", "p", None, "TCP port of the server. [default: 7777]", _port],
        ["user", "u", None, "NAME, where it could be taken for something else."],
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

    def opt_room(self, name: str) -> None:
        """Room to be in, may be repeated; a filter sends to the first one. [default: lobby]"""
        self["rooms"].append(_name(name, "room"))

    opt_r = opt_room

    def opt_version(self) -> NoReturn:
        """Print the version and exit."""
        try:
            print(f"chat {version('console-chat')}")
        except PackageNotFoundError:
            print("chat, run from its source")
        raise SystemExit(0)

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
        self["host"] = self["host"] or "127.0.0.1"
        self["port"] = self["port"] or 7777
        self["rooms"] = self["rooms"] or [LOBBY]
        self["user"] = _login_name() if self["user"] is None else _name(self["user"], "name")

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
