"""What a person may choose: in the configuration file, by a flag, or with ``/set``."""

from __future__ import annotations

import json
import shlex
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Final

from cli.addresses import addresses
from cli.words import meant
from wire.names import canonical, room_name

Value = str | bool | int | list[str]

WHERE: Final = "Who and where"  # groups in which they are told of
SHOWN: Final = "What is shown"
RINGS: Final = "What rings"
TERMINAL: Final = "The terminal"

_TRUTH: Final = {"true": True, "on": True, "yes": True, "false": False, "off": False, "no": False}


class BadSetting(ValueError):
    """What was chosen cannot be had; the text says what can, for a person."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that may be chosen. Its default tells its type: text, true or false, a number, or a list of texts."""

    name: str  # as people write it: name-colours
    default: Value
    help: str
    group: str
    flag: str  # --theme without its dashes
    choices: tuple[str, ...]
    least: int
    most: int
    test: Callable[[str], object] | None = None
    later: bool = False  # whether it counts from the next start on only

    @property
    def field(self) -> str:
        """Its name in :class:`Settings`."""
        return self.name.replace("-", "_")

    @property
    def allowed(self) -> str:
        """What it may be, for a person."""
        match self.default:
            case bool():
                return "true or false"
            case int():
                return f"a number from {self.least} to {self.most}"
            case list():
                return "a list of words"
        return f"one of {', '.join(self.choices)}" if self.choices else "a text"

    @property
    def about(self) -> str:
        """What it is for and, where that does not go without saying, what it may be."""
        if self.choices:
            *most, last = self.choices
            return f"{self.help} ({', '.join(most)} or {last})"
        return f"{self.help} ({self.least} to {self.most})" if type(self.default) is int else self.help

    def read(self, text: str) -> Value:
        """Return what ``text`` stands for, which a person typed as a command's line; raises :class:`BadSetting`."""
        text = text.strip()
        if text[:1] in ('"', "'", "["):  # as it is written in the file
            try:
                written = tomllib.loads(f"value = {text}")["value"]
            except (tomllib.TOMLDecodeError, RecursionError):
                pass
            else:
                return self.take(written) if isinstance(written, str) else self.check(written)
        if isinstance(self.default, list):
            try:
                return self.check([word for word in shlex.split(text) if word])
            except ValueError as wrong:
                raise BadSetting(f"{self.name}: {wrong}") from None
        return self.take(text)

    def take(self, text: str) -> Value:
        """Return what ``text`` stands for, which is one value, or one of a list; raises :class:`BadSetting`."""
        match self.default:
            case bool():
                return self.check(_TRUTH.get(text.lower(), text))
            case int():
                return self.check(int(text) if text.isascii() and text.isdigit() and len(text) < 16 else text)
            case list():
                return self.check([text] if text else [])
        return self.check(text)

    def check(self, value: object) -> Value:
        """Return ``value`` where it may be that; raises :class:`BadSetting`."""
        match self.default, value:
            case (bool(), bool()) | (str(), str()):
                right = not self.choices or value in self.choices
            case (int(), int()):
                right = not isinstance(self.default, bool) and not isinstance(value, bool)
                right = right and self.least <= value <= self.most
            case (list(), list()):
                right = all(isinstance(item, str) for item in value)
            case _:
                right = False
        if not right:
            raise BadSetting(f"{self.name} is {self.allowed}, not {as_toml(value)}")
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and text:
                self._test(text)
        return value  # type: ignore[return-value]  # it is of the default's type

    def _test(self, text: str) -> None:
        try:
            if not text.isprintable():
                raise ValueError("it has a character that cannot be printed")
            if self.test is not None:
                self.test(text)
        except ValueError as why:
            raise BadSetting(f"{self.name} cannot be {as_toml(text)}: {why}") from None


def as_toml(value: object) -> str:
    """Return ``value`` as it is written in the file."""
    return json.dumps(value, ensure_ascii=False, default=str)


def setting(
    default: Any,
    help: str,
    *,
    group: str = "The rest",
    flag: str = "",
    choices: tuple[str, ...] = (),
    least: int = 0,
    most: int = 1_000_000,
    test: Callable[[str], object] | None = None,
    later: bool = False,
) -> Any:
    """Return a field of :class:`Settings`: what it is if nobody says anything, and what it does, in a line.

    ``least`` and ``most`` bound a number, ``test`` raises ValueError for a text that cannot be. What is ``later``
    counts from the next start on.
    """
    about = {
        "help": help,
        "group": group,
        "flag": flag,
        "choices": choices,
        "least": least,
        "most": most,
        "test": test,
        "later": later,
    }
    if isinstance(default, list):
        return field(default_factory=default.copy, metadata=about)
    return field(default=default, metadata=about)


@dataclass
class Settings:
    """All that a person may choose. Whoever needs one reads it when it needs it, or asks to be told of its changes."""

    user: str = setting("", "your name, by default your login name", group=WHERE, test=canonical, later=True)
    host: str = setting(
        "",
        "the server, by default that of last time in a terminal, else 127.0.0.1; "
        "of several that are one chat all, with commas, each with its :PORT if it has one of its own",
        group=WHERE,
        test=lambda hosts: addresses(hosts, 1),
        later=True,
    )
    port: int = setting(7777, "the server's TCP port", group=WHERE, least=1, most=65535, later=True)
    tls: bool = setting(
        False,
        "speak TLS, and nothing where the server does not show that it is who it should be; "
        "tls:// before the server's name says the same",
        group=WHERE,
        later=True,
    )
    tls_ca: str = setting(
        "",
        "a PEM file with the certificates of whom to trust over TLS, by default whom this machine trusts",
        group=WHERE,
        later=True,
    )
    password_file: str = setting(
        "",
        "a file with your password in its first line, where your name has an account; also by $CHAT_PASSWORD_FILE",
        group=WHERE,
        later=True,
    )
    rooms: list[str] = setting(
        [], "rooms to be in, by default those of last time, or lobby", group=WHERE, flag="room", test=room_name,
        later=True,
    )  # fmt: skip
    theme: str = setting("dark", "colours", group=SHOWN, choices=("dark", "light", "mono"))
    colours: str = setting(
        "auto",
        "how many colours, by default as many as the terminal has",
        group=SHOWN,
        choices=("auto", "none", "16", "256", "24bit"),
        later=True,
    )
    links: str = setting(
        "auto",
        "addresses that the terminal opens, by itself where it is known to",
        group=SHOWN,
        choices=("auto", "on", "off"),
    )
    highlight: list[str] = setting([], "words that count as a mention, beside your name", group=SHOWN)
    presence: str = setting(
        "speakers",
        "whose comings and goings are told, of those who said something, or all",
        group=SHOWN,
        choices=("speakers", "all", "none"),
    )
    room_list: str = setting(
        "auto",
        "a column with the rooms, by itself on a wide screen",
        group=SHOWN,
        choices=("auto", "on", "off"),
    )
    bell: bool = setting(True, "ring where somebody mentions you", group=RINGS)
    alert: str = setting(
        "mention",
        "whether mentions ring, or all that comes in a room that is not shown",
        group=RINGS,
        choices=("mention", "all"),
    )
    notify: str = setting(
        "off",
        "tell the terminal's own notifications of a mention, and how",
        group=RINGS,
        choices=("off", "osc9", "osc777"),
    )
    paste_lines: int = setting(5, "a paste of more lines than this is asked about first", group=TERMINAL)
    mouse: bool = setting(
        True, "the wheel scrolls and a click selects; with Shift the terminal selects text as ever", group=TERMINAL
    )
    screen: str = setting(
        "raw", "what draws, curses for what only terminfo knows", group=TERMINAL, choices=("raw", "curses"), later=True
    )

    def __post_init__(self) -> None:
        self._told: list[tuple[str, Callable[[], object]]] = []

    def watch(self, name: str, act: Callable[[], object]) -> None:
        """Have ``act`` called whenever the setting of that name is changed while the program runs."""
        self._told.append((named(name).name, act))

    def value(self, name: str) -> Value:
        """Return what the setting of that name is; raises :class:`BadSetting` where there is none."""
        return getattr(self, named(name).field)  # type: ignore[no-any-return]

    def change(self, name: str, value: Value) -> None:
        """Have ``value`` from now on; raises :class:`BadSetting` where it cannot be."""
        changed = named(name)
        setattr(self, changed.field, changed.check(value))
        for watched, act in self._told:
            if watched == changed.name:
                act()


def _settings() -> dict[str, Setting]:
    settings: dict[str, Setting] = {}
    fresh = Settings()
    for each in fields(Settings):
        name = each.name.replace("_", "-")
        about = dict(each.metadata)
        about["flag"] = about["flag"] or name
        settings[name] = Setting(name=name, default=getattr(fresh, each.name), **about)
    return settings


SETTINGS: Final = MappingProxyType(_settings())  # by their names, in the order of the class


def by_group(settings: Iterable[Setting]) -> Iterator[tuple[str, list[Setting]]]:
    """Yield the groups in which ``settings`` are told of, and what is in each."""
    groups: dict[str, list[Setting]] = {}
    for each in settings:
        groups.setdefault(each.group, []).append(each)
    yield from groups.items()


def named(name: str) -> Setting:
    """Return the setting of that name, written with dashes or underscores; raises :class:`BadSetting`."""
    found = SETTINGS.get(name.replace("_", "-"))
    if found is None:
        raise BadSetting(f"there is no setting {name}; {meant(name, SETTINGS, 'chat --help and /set list them')}")
    return found
