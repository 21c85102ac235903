"""Changes of a TOML text that leave the rest of it as it was: order, comments, blanks.

``table`` is the name of a table, or nothing for what stands before the first one.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any, Final

import tomlkit

_HEADER: Final = re.compile(r"^[ \t]*\[", re.MULTILINE)


def with_value(text: str, table: str, name: str, value: Any) -> str:
    """Return ``text`` with ``name`` being ``value``: where it stood, or stood commented out, or else at the end."""
    document = tomlkit.parse(text)
    place: Any = document.setdefault(table, tomlkit.table()) if table else document
    if name not in place and (line := find(text, table, name, commented=True)):
        put = f"{text[: line.start()]}{_line(name, value)}{text[line.end() :]}"
        if _value(put, table, name) == value:
            return put
    place[name] = value
    return document.as_string().removesuffix("\n") + "\n"


def without_value(text: str, table: str, name: str, default: Any) -> str:
    """Return ``text`` without ``name``; where there is a ``default`` it stands there as a comment."""
    document = tomlkit.parse(text)
    place: Any = document[table] if table else document
    if default is not None:
        place[name] = default
        put = document.as_string()
        if line := find(put, table, name):
            put = f"{put[: line.start()]}# {put[line.start() :]}"
            if _value(put, table, name) is None:
                return put
    del place[name]
    return document.as_string()


def find(text: str, table: str, name: str, *, commented: bool = False) -> re.Match[str] | None:
    """Return the line in which ``name`` is given a value, or a value that is ``commented`` out."""
    sign = "#[ \t]*" if commented else "[ \t]*"
    line = re.compile(rf"^{sign}([\"']?){re.escape(name)}\1[ \t]*=.*$", re.MULTILINE)
    start, end = 0, len(text)
    if table:
        header = re.search(rf"^[ \t]*\[[ \t]*{re.escape(table)}[ \t]*\]", text, re.MULTILINE)
        start = header.end() if header else end
    if header := _HEADER.search(text, start):
        end = header.start()
    return line.search(text, start, end)


def _line(name: str, value: Any) -> str:
    return f"{tomlkit.key(name).as_string()} = {tomlkit.item(value).as_string()}"


def _value(text: str, table: str, name: str) -> Any:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
    return (document.get(table, {}) if table else document).get(name)
