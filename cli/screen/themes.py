"""How what is shown looks: a theme is a table, from the name of a style to its colours.

A style names what it is for. Its colours are given for 16 colours, for none, and for more: all of the latter are of
the 256 that terminals have had for long, so that it looks the same with 24 bits.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final, Literal

from urwid import BaseScreen
from urwid.display.raw import Screen

from cli.screen.abilities import takes_links
from cli.settings import Settings

Count = Literal[1, 16, 88, 256, 16777216]
Entry = tuple[str, str, str, str, str, str]
"""What urwid takes: the style, 16 colours (text, background), no colours, more colours (text, background)."""

# A name has one of these, the same in each theme: red, orange, yellow, green, teal, sky, blue, violet, magenta, pink.
_NAMES: Final = {
    "dark": (
        ("light red", "#ff8787"), ("yellow", "#ffaf5f"), ("yellow", "#d7d700"), ("light green", "#5fd75f"),
        ("light cyan", "#00d7af"), ("light blue", "#5fafff"), ("light blue", "#afafff"), ("light magenta", "#af87ff"),
        ("light magenta", "#ff5fff"), ("light red", "#ff87af"),
    ),
    "light": (
        ("dark red", "#af0000"), ("brown", "#875f00"), ("brown", "#5f5f00"), ("dark green", "#005f00"),
        ("dark cyan", "#005f5f"), ("dark blue", "#005faf"), ("dark blue", "#0000d7"), ("dark magenta", "#8700d7"),
        ("dark magenta", "#af00af"), ("dark red", "#af005f"),
    ),
}  # fmt: skip
COLOURS: Final = len(_NAMES["dark"])  # that a name may have

# What is there without being looked at.
_GREY: Final = ("time", "deleted", "presence", "day", "beginning", "absent", "line")

_DARK: Final[list[Entry]] = [
    ("own", "white,bold", "default", "underline", "default,bold", "default"),
    ("alike", "light red,underline", "default", "standout", "#ff5f5f,underline", "default"),
    ("mention", "black", "brown", "standout", "#000000,bold", "#ffd75f"),
    ("highlight", "yellow,bold", "default", "bold,underline", "#ffd75f,bold", "default"),
    ("action", "light magenta", "default", "default", "#d7afff", "default"),
    ("notice", "light cyan", "default", "default", "#5fafaf", "default"),
    ("unsent", "dark gray", "default", "faint", "g#9e", "default"),
    ("refused", "light red", "default", "bold", "#ff5f5f", "default"),
    ("bar", "light red", "default", "bold", "#ff5f5f", "default"),
    ("hit", "black", "brown", "standout", "#000000", "#d7af5f"),
    ("unread", "light cyan,bold", "default", "bold", "#5fd7d7,bold", "default"),
    ("alarm", "light red,standout", "default", "bold,standout", "#ff5f5f,standout", "default"),
    *((style, "dark gray", "default", "default", "g#9e", "default") for style in _GREY),
]
_LIGHT: Final[list[Entry]] = [
    ("own", "black,bold", "default", "underline", "default,bold", "default"),
    ("alike", "dark red,underline", "default", "standout", "#d70000,underline", "default"),
    ("mention", "white", "dark red", "standout", "#ffffff,bold", "#875f00"),
    ("highlight", "dark red,bold", "default", "bold,underline", "#875f00,bold", "default"),
    ("action", "dark magenta", "default", "default", "#8700af", "default"),
    ("notice", "dark cyan", "default", "default", "#005f87", "default"),
    ("unsent", "dark gray", "default", "faint", "g#62", "default"),
    ("refused", "dark red", "default", "bold", "#d70000", "default"),
    ("bar", "dark red", "default", "bold", "#d70000", "default"),
    ("hit", "white", "dark blue", "standout", "#ffffff", "#005f87"),
    ("unread", "dark cyan,bold", "default", "bold", "#005f5f,bold", "default"),
    ("alarm", "dark red,standout", "default", "bold,standout", "#d70000,standout", "default"),
    *((style, "dark gray", "default", "default", "g#62", "default") for style in _GREY),
]
_ALWAYS: Final[list[Entry]] = [
    ("talk", "default", "default", "default", "default", "default"),
    ("room", "default", "default", "default", "default", "default"),
    ("here", "default,standout", "default", "standout", "default,standout", "default"),
    ("prompt", "default,bold", "default", "bold", "default,bold", "default"),
    ("status", "default,standout", "default", "standout", "default,standout", "default"),
    ("link", "inherit,underline", "inherit", "underline", "inherit,underline", "inherit"),
]

_COUNTS: Final[dict[str, Count]] = {"none": 1, "16": 16, "256": 256, "24bit": 16777216}


def palette(theme: str) -> list[Entry]:
    """Return the table of ``theme``: ``dark``, ``light``, or ``mono``, which does without colours everywhere."""
    if theme == "mono":
        return [(style, mono, "default", mono, mono, "default") for style, _, _, mono, _, _ in palette("dark")]
    names = [
        (f"name {number}", few, "default", "bold", f"{more},bold", "default")
        for number, (few, more) in enumerate(_NAMES[theme])
    ]
    return [*_ALWAYS, *(_LIGHT if theme == "light" else _DARK), *names]


def dress(screen: BaseScreen, settings: Settings, environ: Mapping[str, str] = os.environ) -> None:
    """Have ``screen`` show the theme, the colours and the links that ``settings`` ask for.

    Where they leave it to the terminal, its name and ``environ`` (``COLORTERM``, ``NO_COLOR`` …) tell.
    """
    screen.register_palette(palette(settings.theme), replace=True)
    if isinstance(screen, Screen):
        links = settings.links == "on" or (settings.links == "auto" and takes_links(screen.term, environ))
        screen.set_terminal_properties(colors=_COUNTS.get(settings.colours), hyperlinks=links)  # None: as it found out
