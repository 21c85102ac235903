"""What one line looks like.

All text that is shown goes through :class:`Label`, and what is typed or pasted through :meth:`Input.insert`: there
what others wrote is made harmless, and nowhere else.
"""

from __future__ import annotations

import urwid

from cli.screen.lines import Line
from wire.text import safe, safe_line


class Label(urwid.Text):
    """Text that can do nothing but be read; cut off at the margin if it is one ``line``, else wrapped."""

    def __init__(self, text: str, style: str, *, line: bool = False, align: urwid.Align = urwid.Align.LEFT) -> None:
        self._style = style
        self._harmless = safe_line if line else safe
        super().__init__("", align, urwid.WrapMode.ELLIPSIS if line else urwid.WrapMode.SPACE)
        self.say(text)

    def say(self, text: str) -> None:
        """Show ``text`` from now on."""
        self.set_text((self._style, self._harmless(text)))


def row(line: Line, width: int) -> urwid.Columns:
    """Return what shows ``line`` on a screen of ``width`` columns."""
    names = max(6, min(16, width // 6))  # columns
    return urwid.Columns(
        [
            (5, Label(line.clock, "time", line=True)),
            (names, Label(line.name, "name", line=True, align=urwid.Align.RIGHT)),
            Label(line.text, line.kind.value),
        ],
        dividechars=1,
    )
