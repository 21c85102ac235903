"""The screen as urwid draws it: with the sequences that all terminals understand, in up to 24-bit colours."""

from __future__ import annotations

from typing import Any

from urwid.display.escape import PrivateMode
from urwid.display.raw import Screen

from cli.screen.abilities import is_coloured, is_old


class RawScreen(Screen):
    """Draws only what changed; the terminal's modes are :class:`Terminal`'s.

    Ctrl-C, Ctrl-S, Ctrl-Q and the key for SIGQUIT are keys like others; Ctrl-Z still suspends.
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
        self.clear()

    def signal_init(self) -> None:
        """Leave the signals to :class:`Terminal`."""

    def signal_restore(self) -> None:
        """Leave the signals to :class:`Terminal`."""

    def _mouse_tracking(self, enable: bool) -> None:
        """Leave the mouse to :class:`Terminal`."""

    def _start(self, *args: Any, **kwargs: Any) -> None:
        super()._start(*args, **kwargs)
        self.tty_signal_keys("undefined", "undefined", "undefined", "undefined", fileno=self._input_fileno())

    def _detect_terminal_modes(self) -> None:
        """Ask whether it can show all of a drawing at once; nobody waits for the answer."""
        if not is_old(self.term):
            self.write(PrivateMode.SYNCHRONIZED_OUTPUT.query)
            self.flush()
