"""The screen as the standard library's curses draws it: for terminals that only terminfo knows."""

from __future__ import annotations

import curses
import os
from typing import Any

from urwid import AttrSpec
from urwid.display.curses import Screen

_GREY = 8  # urwid's "dark gray"


class CursesScreen(Screen):
    """As :class:`RawScreen`, in at most 8 colours and two brightnesses.

    Keys are not read by curses, which would wait for them, and the terminal's signals are :class:`Terminal`'s.
    """

    def answered(self, mode: str, state: int) -> None:
        """Learn nothing: curses knows the terminal."""

    def resize(self) -> None:
        """Draw all of it anew, in the size that the terminal has now."""
        columns, rows = os.get_terminal_size(1)
        curses.resizeterm(rows, columns)
        self.clear()

    def _start(self, *args: Any, **kwargs: Any) -> None:
        super()._start(*args, **kwargs)
        curses.nocbreak()  # ends urwid's half delay
        curses.cbreak()
        self.tty_signal_keys("undefined", "undefined", "undefined", "undefined")
        self.resize()

    def _setup_colour_pairs(self) -> None:
        """Have all pairs by urwid's numbers, with the terminal's own background for black."""
        if self.has_color:
            for pair in range(1, 64):
                curses.init_pair(pair, 7 - pair % 8, pair // 8 or (-1 if self.has_default_colors else 0))

    def _compute_curses_attr(self, a: AttrSpec) -> int:
        """Return what shows ``a``: bright colours are bold, and grey is dim, for it would be black."""
        if a.foreground_basic and a.foreground_number == _GREY:
            return super()._compute_curses_attr(AttrSpec("default", a.background)) | curses.A_DIM
        bright = a.foreground_basic and a.foreground_number > _GREY
        return super()._compute_curses_attr(a) | (curses.A_BOLD if bright else 0)
