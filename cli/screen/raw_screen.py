"""The screen as urwid draws it: with the sequences that all terminals understand, in up to 24-bit colours."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any, Final

from urwid.display.escape import PrivateMode
from urwid.display.raw import Screen

from cli.screen.abilities import is_coloured, is_old

_WRAPPING: Final = "\x1b[?7{}"
_ROW: Final = re.compile(r"\x1b\[\d+;1H")  # where one begins
_WIPE: Final = "\x1b7\x1b[0m\x1b[2K\x1b8"
# All but what stands in every terminal in as many columns as in another: Latin, Greek, Cyrillic, Chinese, Korean …
_UNSURE: Final = re.compile(
    "[^\x00-\u02ff\u0370-\u052f\u2010-\u2026\u2190-\u2193\u2248\u2400-\u2426\u3000-\u9fff\uac00-\ud7a3]"
)


class RawScreen(Screen):
    """Draws only what changed; the terminal's modes are :class:`Terminal`'s.

    Ctrl-C, Ctrl-S, Ctrl-Q and the key for SIGQUIT are keys like others; Ctrl-Z still suspends.

    Terminals do not agree in how many columns some emoji and scripts take. A row with such is wiped before it is drawn,
    so that nothing stays of what was there where the terminal takes fewer than we do, and goes no further than to the
    margin where it takes more.
    """

    def __init__(self) -> None:
        super().__init__(bracketed_paste_mode=False, focus_reporting=False)
        if not is_coloured(self.term):
            self.set_terminal_properties(colors=1)

    def answered(self, mode: str, state: int) -> None:
        """Learn what the terminal answered."""
        self.modes.set_from_codes((mode, state))

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

    def _start(self, *args: Any, **kwargs: Any) -> None:
        super()._start(*args, **kwargs)
        self.write(_WRAPPING.format("l"))
        self.tty_signal_keys("undefined", "undefined", "undefined", "undefined", fileno=self._input_fileno())

    def _stop(self) -> None:
        self.write(_WRAPPING.format("h"))
        super()._stop()

    def write(self, data: str) -> None:
        """Write ``data``: a frame, or a sequence."""
        if _UNSURE.search(data):
            starts = [*(row.end() for row in _ROW.finditer(data)), len(data)]
            rows = (data[start:end] for start, end in pairwise(starts))
            data = data[: starts[0]] + "".join(_WIPE + row if _UNSURE.search(row) else row for row in rows)
        super().write(data)

    def _detect_terminal_modes(self) -> None:
        """Ask whether it can show all of a drawing at once; nobody waits for the answer."""
        if not is_old(self.term):
            self.write(PrivateMode.SYNCHRONIZED_OUTPUT.query)
            self.flush()
