"""What a terminal can do, as far as its name (``TERM``) and the environment tell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

# What terminals are called that take an operating system command (OSC), and even one that is as long as a link. Of
# others it is not known whether they show it as text.
_TAKE_LINKS: Final = {
    "alacritty", "contour", "foot", "ghostty", "gnome", "iterm", "iterm2", "kitty", "konsole", "mintty", "rio", "st",
    "tmux", "vte", "wezterm", "xterm",
}  # fmt: skip
_TAKE_OSC: Final = {*_TAKE_LINKS, "eterm", "rxvt", "screen"}
_TMUX: Final = (3, 4)  # the first that hands links on
_OLD: Final = re.compile(r"vt\d|ansi|linux|cons\d|sun")  # hardware, consoles: no mouse, no paste that is marked


def lacks(term: str, screen: str) -> str:
    """Return why nothing can be shown in a terminal called ``term`` by ``screen``; empty where it can."""
    if term in ("dumb", "unknown"):
        return f"this terminal (TERM={term}) cannot move its cursor: set TERM to what it is, or use chat in a pipe"
    if screen == "curses":
        import curses  # nothing else needs it

        try:
            curses.setupterm(term)
        except curses.error:
            return f"curses knows no terminal TERM={term}: set TERM to one that it knows, or use --screen raw"
    return ""


def is_old(term: str) -> bool:
    """Whether it knows no mouse, no marked pastes and no questions about its modes."""
    return _OLD.match(term) is not None


def is_coloured(term: str) -> bool:
    """Whether it may have colours; of a VT100 and the like it is known that they have none."""
    return not re.match(r"vt\d", term)


def takes_osc(term: str) -> bool:
    """Whether it takes an OSC: acts on it, or lets it be, but never shows it as text."""
    return not _TAKE_OSC.isdisjoint(_words(term))


def takes_links(term: str, environ: Mapping[str, str]) -> bool:
    """Whether it takes an OSC 8: follows the link or at least lets it be."""
    if "TMUX" in environ:
        version = re.search(r"(\d+)\.(\d+)", environ.get("TERM_PROGRAM_VERSION", ""))
        return version is not None and (int(version[1]), int(version[2])) >= _TMUX
    return not _TAKE_LINKS.isdisjoint(_words(term))


def passed_on(sequence: str, environ: Mapping[str, str]) -> str:
    """Return ``sequence`` so that tmux or screen, where we run in one, hands it to the terminal outside.

    Of one in the other it is not known which is which, and each shows what is meant for the other: then it is empty.
    """
    match bool(environ.get("TMUX")), bool(environ.get("STY")):
        case True, True:
            return ""
        case True, False:
            return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
        case False, True:
            return f"\x1bP{sequence}\x1b\\"
    return sequence


def _words(term: str) -> list[str]:
    return re.split(r"[-.]", term.lower())
