"""What keys are called.

The program calls them as urwid does, ``meta enter``, and what is pressed one after the other ``ctrl x ctrl e``.
People write ``alt-enter``, ``M-enter``, ``Alt+Enter`` or ``meta enter``, and are shown ``alt-enter``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from cli.words import meant

_MODIFIERS: Final = {
    "shift": "shift", "ctrl": "ctrl", "control": "ctrl", "meta": "meta", "alt": "meta",
    "s": "shift", "c": "ctrl", "m": "meta", "a": "meta",
}  # fmt: skip
_ORDER: Final = ("shift", "meta", "ctrl")  # in which urwid names them
_MODIFIER: Final = re.compile(rf"({'|'.join(_MODIFIERS)})[-+](?=.)", re.IGNORECASE)
_PAGE: Final = re.compile(r"\bpage +(up|down)\b", re.IGNORECASE)
_NAMES: Final = {
    **{name: name for name in ("enter", "tab", "esc", "space", "backspace", "delete", "insert", "home", "end")},
    **{name: name for name in ("up", "down", "left", "right", *(f"f{number}" for number in range(1, 13)))},
    "return": "enter", "escape": "esc", "del": "delete", "ins": "insert",
    "page-up": "page up", "pageup": "page up", "pgup": "page up",
    "page-down": "page down", "pagedown": "page down", "pgdown": "page down", "pgdn": "page down",
    "<0>": "<0>",
}  # fmt: skip
_SAME: Final = {
    "ctrl i": "tab", "ctrl m": "enter", "ctrl j": "enter", "ctrl h": "backspace", "ctrl [": "esc",
    "ctrl space": "<0>", "ctrl @": "<0>", "ctrl /": "ctrl _",
}  # fmt: skip  # a terminal sends the same for both


class BadKey(ValueError):
    """What was written is no key; the text says what would be one, for a person."""


def read(text: str) -> str:
    """Return the program's name of what a person calls ``text``; raises :class:`BadKey`.

    The first key must be one that types nothing, so that one can still write.
    """
    first, *more = list(_keys(text)) or [""]
    if not first:
        raise BadKey("say which key: ctrl-n, alt-enter")
    if len(first) == 1 or "space" in first.split():
        raise BadKey(f"{text} is for typing; bind a key like alt-{first if len(first) == 1 else 'n'}")
    return " ".join((first, *more))


def shown(keys: str) -> str:
    """Return what people are shown for ``keys``, which is the program's name."""
    return " ".join(_shown(key) for key in _keys(keys))


def same(written: str, keys: str) -> bool:
    """Return whether what a person has ``written`` is the program's ``keys``."""
    try:
        return read(written) == keys
    except BadKey:
        return False


def _shown(key: str) -> str:
    return "ctrl-space" if key == "<0>" else key.replace(" ", "-").replace("meta-", "alt-")


def _keys(text: str) -> Iterator[str]:
    modifiers: set[str] = set()
    for word in _PAGE.sub(r"page-\1", text).split():
        if len(word) > 1 and word.lower() in _MODIFIERS:
            modifiers.add(_MODIFIERS[word.lower()])
            continue
        name = word
        while found := _MODIFIER.match(name):
            modifiers.add(_MODIFIERS[found[1].lower()])
            name = name[found.end() :]
        if len(name) == 2 and name[0] == "^":
            modifiers.add("ctrl")
            name = name[1]
        yield _key(modifiers, name)
        modifiers = set()
    if modifiers:
        raise BadKey(f"{text} goes on: {text}-n")


def _key(modifiers: set[str], name: str) -> str:
    base = _NAMES.get(name.lower(), name)
    if len(name) == 1 and "shift" in modifiers and name.isalpha():
        base, modifiers = name.upper(), modifiers - {"shift"}
    if len(base) == 1 and "ctrl" in modifiers:
        base = base.lower()
    if not base.isprintable() or (len(base) > 1 and base not in _NAMES.values()):
        raise BadKey(f"there is no key {name}; {meant(name, _NAMES, 'write ctrl-n or alt-enter')}")
    key = " ".join([*(modifier for modifier in _ORDER if modifier in modifiers), base])
    return _SAME.get(key, key)
