"""What one line looks like.

All text that is shown goes through :class:`Label`, and what is typed or pasted through :attr:`Buffer.shown`: there
what others wrote is made harmless, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from typing import Final

import urwid

from cli.screen.lines import PART, RULES, Line
from cli.screen.look import Look, Markup
from wire.text import safe, safe_line

MOST: Final = 2 * PART  # characters that are shown of a text; only a server that harms sends longer names and notices
TIME: Final = 5  # columns
NARROW: Final = 32  # columns of a screen, below which there are none to spare for the time
TINY: Final = 12  # and none for the name


class Label(urwid.Text):
    """Text that can do nothing but be read; cut off at the margin if it is one ``line``, else wrapped.

    ``marked`` returns the markup of the harmless text, where that is more than one ``style``.
    """

    def __init__(
        self,
        text: str,
        style: str,
        *,
        line: bool = False,
        align: urwid.Align = urwid.Align.LEFT,
        marked: Callable[[str], Markup] = str,
    ) -> None:
        self._style = style
        self._harmless = safe_line if line else safe
        self._marked = marked
        super().__init__("", align, urwid.WrapMode.ELLIPSIS if line else urwid.WrapMode.SPACE)
        self.say(text)

    def say(self, text: str) -> None:
        """Show ``text`` from now on."""
        text = text if len(text) <= MOST else f"{text[:MOST]}…"
        self.set_text((self._style, self._marked(self._harmless(text))))

    def say_parts(self, parts: Iterable[tuple[str, str]]) -> None:
        """Show ``parts`` one after the other: texts and their styles."""
        self.set_text([(style, self._harmless(text[:MOST])) for text, style in parts])


class Row(urwid.Widget):
    """Labels side by side, each with its width in columns, and a blank between them; all but the last are one line.

    urwid's own Columns cost twice the time, and leave cycles: collecting those was felt when pages were turned.
    """

    _sizing = frozenset([urwid.FLOW])

    def __init__(self, *labels: tuple[int, Label]) -> None:
        super().__init__()
        self._labels = labels

    def rows(self, size: tuple[int], focus: bool = False) -> int:  # noqa: ARG002
        """Return how many rows it takes."""
        width, last = self._labels[-1]
        return last.rows((width,))

    def render(self, size: tuple[int], focus: bool = False) -> urwid.Canvas:  # type: ignore[override]  # noqa: ARG002
        """Draw it."""
        *first, (width, last) = self._labels
        parts = [(label.render((width,)), None, False, width + 1) for width, label in first]
        return urwid.CanvasJoin([*parts, (last.render((width,)), None, False, width)])


def row(line: Line, width: int, look: Look) -> Row:
    """Return what shows ``line`` on a screen of ``width`` columns: the time, the name, and the text beside them."""
    if line.kind in RULES:
        return Row((width, Label(f"── {line.text} ".ljust(width, "─"), line.kind.value, line=True)))
    name, style = look.name(line)
    labels = [(text_width(width), Label(line.text, line.kind.value, marked=partial(look.text, line)))]
    if width >= TINY:
        labels.insert(0, (_names(width), _beside(name, style, urwid.Align.RIGHT)))
    if width >= NARROW:
        labels.insert(0, (TIME, _beside(line.clock, "hit" if line.hit else "time", urwid.Align.LEFT)))
    return Row(*labels)


def text_width(width: int) -> int:
    """Return how many of ``width`` columns the text of a line has."""
    return width - (TIME + 1) * (width >= NARROW) - (_names(width) + 1) * (width >= TINY)


@lru_cache(maxsize=256)  # many rows on a screen have the same time, or the same name
def _beside(text: str, style: str, align: urwid.Align) -> Label:
    return Label(text, style, line=True, align=align)


def _names(width: int) -> int:
    return max(6, min(16, width // 6))
