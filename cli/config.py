"""The configuration file: what a person has chosen for all times."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from platformdirs import user_config_path

from cli.atomic import replace
from cli.settings import SETTINGS, BadSetting, Value, named

KEYS: Final = "keys"  # the table of the file in which keys are bound
_AT_LINE: Final = re.compile(r" \(at line ([0-9]+), column [0-9]+\)$")


class BadConfig(Exception):
    """The file cannot be used as it is; the text says where and why, for a person, in a line."""


class Config:
    """The file at ``path``. It is read whenever it is asked, and changed a line at a time: what else is in it stays."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or user_config_path("console-chat") / "config.toml"

    def chosen(self) -> dict[str, Value]:
        """Return the settings that are in it, by their names; raises :class:`BadConfig`."""
        text = self._text()
        chosen: dict[str, Value] = {}
        for name, value in self._parsed(text).items():
            if name == KEYS:
                continue
            try:
                setting = named(name)
                chosen[setting.name] = setting.check(value)
            except BadSetting as wrong:
                raise self._bad(str(wrong), text, name) from None
        return chosen

    def bindings(self) -> dict[str, str]:
        """Return what keys do, as both are written in it; raises :class:`BadConfig`."""
        return self._bindings(self._text())

    def _bindings(self, text: str) -> dict[str, str]:
        keys = self._parsed(text).get(KEYS, {})
        if not isinstance(keys, dict):
            raise self._bad('keys are bound in a table: [keys] and below it "ctrl-n" = "next-room"', text, KEYS)
        for key, what in keys.items():
            if not isinstance(what, str):
                raise self._bad(f'a key does one thing, in quotes: "{key}" = "next-room"', text, key, KEYS)
        return keys

    def wrong_key(self, key: str, why: str) -> BadConfig:
        """Return the error that tells ``why`` what is said of ``key`` cannot be."""
        hint = "; settings stand above [keys]" if key.replace("_", "-") in SETTINGS else ""
        return self._bad(f"{why}{hint}", self._text(), key, KEYS)

    @property
    def exists(self) -> bool:
        """Whether there is such a file."""
        return self.path.exists()

    def begin(self, text: str) -> bool:
        """Write ``text`` where there is no file yet, and return whether there was none; raises OSError."""
        if self.exists:
            return False
        self._write(text)
        return True

    def keep(self, name: str, value: Value) -> None:
        """Have the setting of that name be ``value`` from now on; its default is commented out.

        Raises OSError, and :class:`BadConfig` where the file was broken meanwhile.
        """
        setting = named(name)
        self._put("", setting.name, value, setting.default, lambda written: written.replace("_", "-") == setting.name)

    def bind(self, key: str, what: str | None, same: Callable[[str], bool]) -> None:
        """Have ``key`` do ``what`` from now on, or what it does by itself where that is None; raises as :meth:`keep`.

        ``same`` says whether what is written in the file is that key.
        """
        self._put(KEYS, key, what, None, same)

    def _put(
        self, table: str, name: str, value: Value | None, default: Value | None, same: Callable[[str], bool]
    ) -> None:
        from tomlkit.exceptions import TOMLKitError  # slow to load, and seldom needed

        from cli.edits import with_value, without_value

        text = self._text()
        there: dict[str, Any] = self._bindings(text) if table else self._parsed(text)
        written = next((key for key in there if same(key)), None)
        if value == default and written is None:
            return
        try:
            if value == default:
                changed = without_value(text, table, written or name, default)
            else:
                changed = with_value(text, table, written or name, value)
        except TOMLKitError as wrong:
            raise BadConfig(f"{self.path} cannot be changed: {wrong}") from None
        self._write(changed)

    def _text(self) -> str:
        try:
            return self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""
        except UnicodeDecodeError as wrong:
            line = wrong.object.count(b"\n", 0, wrong.start) + 1
            raise BadConfig(f"{self.path}, line {line}: this is no UTF-8") from None
        except OSError as wrong:
            raise BadConfig(f"{self.path} cannot be read: {wrong.strerror}") from None

    def _parsed(self, text: str) -> dict[str, Any]:
        try:
            return tomllib.loads(text)
        except RecursionError:
            raise BadConfig(f"{self.path}: lists are too deep") from None
        except tomllib.TOMLDecodeError as wrong:
            place = _AT_LINE.search(str(wrong))
            line = int(place[1]) if place else text.count("\n") + 1
            what = _AT_LINE.sub("", str(wrong)).removesuffix(" (at end of document)")
            raise BadConfig(
                f'{self.path}, line {line}: {what[:1].lower()}{what[1:]}; a line is like theme = "dark"'
            ) from None

    def _bad(self, why: str, text: str, name: str, table: str = "") -> BadConfig:
        from cli.edits import find

        found = find(text, table, name)
        where = f", line {text.count(chr(10), 0, found.start()) + 1}" if found else ""
        return BadConfig(f"{self.path}{where}: {why}")

    def _write(self, text: str) -> None:
        replace(self.path, text.encode())
