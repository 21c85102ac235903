"""What one line looks like.

All text that is shown goes through :class:`Label`, and what is typed or pasted through :meth:`Input.insert`: there
what others wrote is made harmless, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable

import urwid

from cli.screen.lines import Line
from wire.text import safe, safe_line

TIME = 5  # columns


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

    def say_parts(self, parts: Iterable[tuple[str, str]]) -> None:
        """Show ``parts`` one after the other: texts and their styles."""
        self.set_text([(style, self._harmless(text)) for text, style in parts])


def row(line: Line, width: int) -> urwid.Columns:
    """Return what shows ``line`` on a screen of ``width`` columns."""
    return urwid.Columns(
        [
            (TIME, Label(line.clock, "time", line=True)),
            (_names(width), Label(line.name, "name", line=True, align=urwid.Align.RIGHT)),
            Label(line.text, line.kind.value),
        ],
        dividechars=1,
    )


def text_width(width: int) -> int:
    """Return how many of ``width`` columns the text of a line has."""
    return max(1, width - TIME - _names(width) - 2)


def _names(width: int) -> int:
    return max(6, min(16, width // 6))
