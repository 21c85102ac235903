"""The screen as urwid draws it: with the sequences that all terminals understand, in up to 24-bit colours."""

from __future__ import annotations

import sys
import termios
import tty
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple, TextIO, TypeVar

from urwid import Canvas
from urwid.display.escape import CSI, ESC, HIDE_CURSOR, PrivateMode, set_cursor_position
from urwid.display.raw import Screen

from cli.screen.abilities import is_coloured, is_old, takes_osc
from cli.screen.unsure import wiped

T = TypeVar("T")

_WRAPPING: Final = "\x1b[?7{}"  # off: what the terminal takes to be wider than we do goes no further than to the margin


class Shift(NamedTuple):
    """The rows from ``top`` to ``bottom`` (both included) have moved ``up`` by so many; down, where it is negative."""

    top: int
    bottom: int
    up: int


class RawScreen(Screen):
    """Draws only what changed, and rows that moved are moved by the terminal; its modes are :class:`Terminal`'s.

    Ctrl-C, Ctrl-S, Ctrl-Q and the key for SIGQUIT are keys like others; Ctrl-Z still suspends.
    """

    def __init__(self, output: TextIO = sys.stdout) -> None:
        super().__init__(output=output, bracketed_paste_mode=False, focus_reporting=False)
        self._cursor: tuple[int, int] | None = None
        self._line: list[Any] | None = None  # its modes before it was taken
        if not is_coloured(self.term):
            self.set_terminal_properties(colors=1)
        if takes_osc(self.term):  # not so old that bold black is grey: it may be black
            self.set_terminal_properties(bright_is_bold=False)

    def answered(self, mode: str, state: int) -> None:
        """Learn what the terminal answered."""
        self.modes.set_from_codes((mode, state))

    def draw_screen(self, size: tuple[int, int], canvas: Canvas) -> None:
        """Show ``canvas``."""
        frame = _Frame(canvas)
        if self.screen_buf is not None and self._screen_buf_canvas is not None:
            if frame.content() == self.screen_buf and frame.cursor == self._cursor:
                return
            if shift := shifted(self.screen_buf, frame.content()):
                self._shift(shift)
        self._cursor = frame.cursor
        super().draw_screen(size, frame)  # type: ignore[arg-type]

    def _shift(self, shift: Shift) -> None:
        top, bottom, up = shift
        if self.modes.synchronized_output:
            self.write(PrivateMode.SYNCHRONIZED_OUTPUT.enable_seq)  # what follows ends it
        edge, step = (bottom, f"{ESC}D") if up > 0 else (top, f"{ESC}M")
        self.write(
            f"{HIDE_CURSOR}{CSI}0m{CSI}{top + 1};{bottom + 1}r{set_cursor_position(0, edge)}{step * abs(up)}{CSI}r"
        )
        rows = self._drawn_rows
        blank: list[Any] = [[]] * abs(up)  # like no row, so that it is drawn
        rows[top : bottom + 1] = (
            [*rows[top + up : bottom + 1], *blank] if up > 0 else [*blank, *rows[top : bottom + 1 + up]]
        )

    def resize(self) -> None:
        """Draw all of it anew, in the size that the terminal has now."""
        self.write(_WRAPPING.format("l"))
        self.clear()

    def signal_init(self) -> None:
        """Leave the signals to :class:`Terminal`."""

    def signal_restore(self) -> None:
        """Leave the signals to :class:`Terminal`."""

    def _mouse_tracking(self, enable: bool) -> None:
        """Leave the mouse to :class:`Terminal`."""

    def _input_fileno(self) -> None:
        """Leave the line's modes to us: urwid would throw away what was typed before."""

    def tty_signal_keys(self, *_: Any, **__: Any) -> None:
        """Leave them to us."""

    def _start(self, *args: Any, **kwargs: Any) -> None:
        self._line = termios.tcgetattr(0)
        tty.setcbreak(0, termios.TCSADRAIN)
        modes = termios.tcgetattr(0)
        modes[tty.LFLAG] &= ~termios.IEXTEN  # or BSD acts on Ctrl-V, Ctrl-O and Ctrl-Y
        for key in (termios.VINTR, termios.VQUIT, termios.VSTART, termios.VSTOP):
            modes[tty.CC][key] = b"\0"
        termios.tcsetattr(0, termios.TCSANOW, modes)
        super()._start(*args, **kwargs)
        self.write(_WRAPPING.format("l"))

    def _stop(self) -> None:
        self.write(_WRAPPING.format("h"))
        try:
            super()._stop()
        finally:
            if self._line is not None:
                with suppress(termios.error):  # it may be gone
                    termios.tcsetattr(0, termios.TCSAFLUSH, self._line)

    def write(self, data: str) -> None:
        """Write ``data``: a frame, or a sequence."""
        super().write(wiped(data))

    def _detect_terminal_modes(self) -> None:
        """Ask whether it can show all of a drawing at once; nobody waits for the answer."""
        if not is_old(self.term):
            self.write(PrivateMode.SYNCHRONIZED_OUTPUT.query)
            self.flush()


class _Frame:
    """A canvas whose rows are made once."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas  # urwid's cache has it as long as somebody else does
        self._rows = list(canvas.content())
        self.cursor = canvas.cursor
        self.rows = canvas.rows

    def content(self) -> list[Any]:
        return self._rows


def shifted(old: Sequence[T], new: Sequence[T]) -> Shift | None:
    """Return how rows have moved as a block between two drawings; None where that is not worth a word."""
    differ = [y for y, (before, after) in enumerate(zip(old, new, strict=False)) if before != after]
    if len(old) != len(new) or len(differ) < 3:
        return None
    top, end = differ[0], differ[-1] + 1
    shifts = [*_ups(top, end, old, new), *(down._replace(up=-down.up) for down in _ups(top, end, new, old))]
    return max(shifts, key=lambda shift: shift.bottom - shift.top - 2 * abs(shift.up), default=None)


def _ups(top: int, end: int, old: Sequence[T], new: Sequence[T]) -> Iterator[Shift]:
    """Return the blocks of ``old``, between ``top`` and ``end``, that stand further up in ``new``."""
    for up in range(1, (end - top + 1) // 2):
        begin = top  # of the block that we are in
        for y in range(top, end - up + 1):
            if y == end - up or old[y + up] != new[y]:
                if y - begin > up:
                    yield Shift(begin, y - 1 + up, up)
                begin = y + 1
