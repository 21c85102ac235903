"""The flags of ``chat`` and of its commands."""

from __future__ import annotations

import getopt
import shutil
from collections.abc import Callable, Iterable
from functools import partial
from getpass import getuser
from pathlib import Path
from typing import Any, ClassVar, Final, NoReturn, TypeVar, cast

from twisted.python.usage import Options as UsageOptions
from twisted.python.usage import UsageError

from cli.addresses import ONE, SECURED, are_secured, written
from cli.config import Config
from cli.settings import SETTINGS, BadSetting, Setting, Settings, Value
from cli.usage import flag_help, usage
from wire.frames import LOBBY, MAX_PAGE
from wire.names import BadName, canonical, file_name, room_name

_SHORT: Final = {"user": "u", "host": "h", "port": "p", "rooms": "r"}
_NO: Final = "no_"  # before a flag that says no
NARROW: Final = 40  # columns that the help has at the least
WIDE: Final = 100  # and at the most: longer lines are hard to read

Kind = TypeVar("Kind", bound="type[AnyOptions]")


def _history(text: Any) -> int:
    if not (str(text).isascii() and str(text).isdigit() and int(text) <= MAX_PAGE):
        raise ValueError(f"{text!r} is not a number of messages from 0 to {MAX_PAGE}")
    return int(text)


def is_address(text: str) -> bool:
    """Whether ``text`` says where a server is: HOST:PORT, or several with commas."""
    parts = ONE.fullmatch(text)
    return "," in text or (parts is not None and (parts["port"] or parts["tls"]) is not None)


def message_id(text: str) -> int:
    """Return the number of a message; raises ValueError."""
    if not text:
        raise ValueError("the number of a message is missing")
    if not (text.isascii() and text.isdigit() and len(text) < 16 and int(text)):  # more than a room ever has
        raise ValueError(f"{text!r} is not the number of a message")
    return int(text)


def _value(what: str, check: Callable[[str], str], text: str) -> str:
    try:
        return check(text)
    except (BadName, UnicodeEncodeError) as why:
        raise ValueError(f"{text!r} is no {what}: {why}") from None


def _flags(settings: Iterable[Setting]) -> Callable[[Kind], Kind]:
    """Return a decorator that gives a class of options a flag for each of ``settings``, and ``--no-`` for a truth."""

    def give(options: Kind) -> Kind:
        for setting in settings:
            name = setting.flag.replace("-", "_")
            if isinstance(setting.default, bool):
                setattr(options, f"opt_{name}", _truth(setting, "true"))
                setattr(options, f"opt_{_NO}{name}", _truth(setting, "false"))
            else:
                option = _option(setting)
                setattr(options, f"opt_{name}", option)
                if setting.name in _SHORT:
                    setattr(options, f"opt_{_SHORT[setting.name]}", option)
        return options

    return give


def _option(setting: Setting) -> Callable[[AnyOptions, str], None]:
    def option(self: AnyOptions, text: str) -> None:
        self.say(setting, text)

    option.__doc__ = flag_help(setting)
    return option


def _truth(setting: Setting, text: str) -> Callable[[AnyOptions], None]:
    def truth(self: AnyOptions) -> None:
        self.say(setting, text)

    truth.__doc__ = flag_help(setting) if text == "true" else f"not --{setting.flag}, though the configuration says so"
    return truth


@_flags(SETTINGS[name] for name in ("user", "host", "port", "tls", "tls-ca", "password-file"))
class AnyOptions(UsageOptions):
    """Who, where, and what every command has. What no flag says is taken from the configuration file."""

    def __init__(self, config: Config | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.settings = Settings()  # all that was chosen, once the flags are read
        self.config = config
        self.server_chosen = False  # whether anything says which server; if not, it is the default one
        self._said: dict[str, Value] = {}  # by flags and arguments, by the fields of Settings

    @property
    def server(self) -> str:
        """Where the server is, as a person writes it."""
        return written(self["host"], self["port"])

    def say(self, setting: Setting, text: str) -> None:
        """Choose what ``text`` stands for; raises :class:`UsageError`."""
        try:
            value = setting.take(text)
        except BadSetting as wrong:
            raise UsageError(str(wrong)) from None
        if isinstance(value, list):
            value = [*cast("list[str]", self._said.get(setting.field, [])), *value]
        self._said[setting.field] = value

    def opt_version(self) -> NoReturn:
        """Print the version and exit."""
        from importlib.metadata import PackageNotFoundError, version  # slow to load, and seldom asked for

        try:
            print(f"chat {version('console-chat')}")
        except PackageNotFoundError:
            print("chat, run from its source")
        raise SystemExit(0)

    def postOptions(self) -> None:
        """Fill in what was not said; raises :class:`cli.config.BadConfig`."""
        chosen = {} if self.config is None else self.config.chosen()
        values: dict[str, Any] = {SETTINGS[name].field: value for name, value in chosen.items()}
        self.settings = Settings(**values | self._said)
        self.server_chosen = bool(self.settings.host) or "port" in {*values, *self._said}
        self["host"] = self.settings.host or "127.0.0.1"
        self["port"] = self.settings.port
        self["tls"] = self.settings.tls or are_secured(self["host"])
        self["tls_ca"] = Path(self.settings.tls_ca).expanduser() if self.settings.tls_ca else None
        self["host"] = self["host"].replace(SECURED, "")

    def parseOptions(self, options: list[str] | None = None) -> None:
        """Read the flags, before, between and behind the arguments; raises :class:`UsageError`."""
        try:
            flags, arguments = getopt.gnu_getopt(options or [], self.shortOpt, self.longOpt)
        except getopt.error as wrong:
            raise UsageError(str(wrong)) from None
        words = [word for flag, value in flags for word in ((flag, value) if self._takes(flag) else (flag,))]
        super().parseOptions([*words, "--", *arguments])  # type: ignore[no-untyped-call]

    def getUsage(self, width: int | None = None) -> str:
        """Return the help for a terminal of ``width`` columns, by default for this one."""
        return super().getUsage(width or _width())

    def _take_address(self, address: str) -> None:
        if "," in address and "host" not in self._said:
            self.say(SETTINGS["host"], address)
            return
        parts = ONE.fullmatch(address)
        if parts is None or not address:
            raise UsageError(f"{address!r} is no HOST[:PORT]")
        if "host" in self._said or (parts["port"] and "port" in self._said):
            raise UsageError(f"{address!r} says again what a flag says")
        self.say(SETTINGS["host"], (parts["tls"] or "") + (parts["v6"] or parts["host"]))
        if parts["port"]:
            self.say(SETTINGS["port"], parts["port"])

    def _takes(self, flag: str) -> bool:
        return f"{flag[2:]}=" in self.longOpt or f"{flag[1:]}:" in self.shortOpt


@_flags(SETTINGS.values())
class Options(AnyOptions):
    """Who talks, where and how. ``rooms`` is empty where none was given."""

    synopsis = "Usage: chat [options] [NAME] [HOST[:PORT][,HOST...]]"
    longdesc = (
        "Talks as NAME (your login name where left out) with everybody on a Console Chat server. "
        "In a terminal it takes the screen, and /help tells the rest; with input or output redirected it is a plain "
        "filter: lines in are sent, messages come out one a line."
    )

    optParameters: ClassVar[list[list[Any]]] = [
        ["history", None, 0, "Filter: messages to be given of what was said before, in each room, up to 500.",
         _history],
    ]  # fmt: skip
    optFlags: ClassVar[list[list[Any]]] = [
        ["json", "j", "Filter: write a JSON object a line (room, id, from, at in milliseconds, text ...)."],
    ]

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        self._address: str | None = None

    def getUsage(self, width: int | None = None) -> str:
        """Return the help: what it is, the flags in groups, the commands."""
        others = [
            ("      --history=N", str(self.docs["history"])),
            ("  -j, --json", str(self.docs["json"])),
            ("      --version", "Print the version and exit."),
            ("      --help", "Print this and exit."),
        ]
        commands = [(command.synopsis.removeprefix("Usage: "), command.brief) for command in _COMMANDS]
        flags = {name: _written(each) for name, each in SETTINGS.items()}
        return usage(self.longdesc, flags, others, commands, width or _width())

    def parseArgs(self, *arguments: str) -> None:
        """Take NAME and HOST[:PORT]: what has a colon is no name, of two without one the first is the name."""
        for argument in arguments:
            if not argument:
                raise UsageError("a NAME or HOST[:PORT] is empty")
            if ":" not in argument and "user" not in self._said:
                self.say(SETTINGS["user"], argument)
            elif self._address is None:
                self._address = argument
            else:
                raise UsageError(f"{argument!r} is one too many")

    def postOptions(self) -> None:
        """Fill in what was not said."""
        if self._address is not None:
            self._take_address(self._address)
        super().postOptions()
        self.room_chosen = "rooms" in self._said
        self["rooms"] = [room_name(room) for room in self.settings.rooms]
        self["user"] = canonical(self.settings.user) if self.settings.user else _login_name()


class _CommandOptions(AnyOptions):
    """What the commands have in common: a NAME that is not left out, and one ``room``."""

    brief: ClassVar[str]  # what it does, in a line

    optParameters: ClassVar[list[list[Any]]] = [
        ["room", "r", LOBBY, "Room that it is about.", partial(_value, "room", room_name)],
    ]

    def parseArgs(self, *arguments: str) -> None:
        """Take NAME, unless it was given as a flag, and what the command takes besides."""
        if "user" not in self._said:
            if not arguments:
                raise UsageError("say under which NAME")
            self.say(SETTINGS["user"], arguments[0])
            arguments = arguments[1:]
        self._take(list(arguments))

    def postOptions(self) -> None:
        """Fill in what was not said."""
        super().postOptions()
        if not self.settings.user:
            raise UsageError("say under which NAME")
        self["user"] = canonical(self.settings.user)

    def _take(self, arguments: list[str]) -> None:
        """Take HOST[:PORT], where it is there, and nothing behind it."""
        if arguments:
            self._take_address(arguments.pop(0))
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

    synopsis = "Usage: chat tail [options] NAME [HOST[:PORT]]"
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

    synopsis = "Usage: chat save [options] NAME ID [HOST[:PORT]]"
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


def _written(setting: Setting) -> str:
    """Return how the flag of ``setting`` is written, in columns."""
    short = f"-{_SHORT[setting.name]}," if setting.name in _SHORT else ""
    match setting.default:
        case bool():
            value = f", --no-{setting.flag}"
        case int():
            value = "=N"
        case list():
            value = "=WORD"
        case _:
            value = "=TEXT"
    return f"  {short:4}--{setting.flag}{value}"


def _width() -> int:
    return min(max(shutil.get_terminal_size().columns, NARROW), WIDE)


def _login_name() -> str:
    try:
        return canonical(getuser())
    except (BadName, OSError, KeyError):
        raise UsageError("say under which NAME") from None
