"""Where one types."""

from __future__ import annotations

import re
from itertools import count

import urwid

from cli.words import amount
from wire.text import safe

LONG = 4096  # characters of a paste, from which it is held
LINES = 50  # of a paste, likewise
SHORT = 80  # characters of a paste that is not held even where the input is long already


class Input(urwid.Edit):
    """Where one types.

    A long paste is held beside it, and stands in it as a short mark like ``[pasted text, 5.24 MB, 80000 lines]``: the
    cursor jumps over a mark, and deletes it as one character. Laying out the text itself would take half a minute.
    """

    def __init__(self) -> None:
        super().__init__("> ", multiline=True)
        self._held: dict[str, str] = {}  # by their marks
        self._marks = re.compile("(?!)")  # finds any of them

    def insert(self, text: str) -> None:
        """Put ``text`` where the cursor is."""
        most = SHORT if len(self.edit_text) > LONG else LONG  # a terminal without marks gives a paste in pieces
        long = len(text) > most or text.count("\n") >= LINES
        self.insert_text(self._hold(text) if long else safe(text))

    def delete(self) -> None:
        """Remove the character under the cursor."""
        self._remove(self.edit_pos, self.edit_pos + 1)

    def replace(self, text: str) -> None:
        """Have ``text`` and nothing else, with the cursor behind it."""
        self.set_edit_text(text)
        self.set_edit_pos(len(text))

    @property
    def text(self) -> str:
        """What was typed and pasted."""
        return self._marks.sub(lambda mark: self._held[mark[0]], self.edit_text)

    def clear(self) -> None:
        """Begin anew."""
        self.replace("")
        self._held.clear()
        self._find_held()

    def keypress(self, size: tuple[int], key: str) -> str | None:  # type: ignore[override]  # it has always a width
        """Do what ``key`` does in a text; return it where that is nothing."""
        place = self.edit_pos
        if key == "backspace" and self._marked(place - 1):
            self._remove(place - 1, place)
            return None
        if key == "delete":
            self.delete()
            return None
        left: str | None = super().keypress(size, key)
        if mark := self._marked(self.edit_pos):
            start, end = mark.span()
            self.set_edit_pos(end if place < self.edit_pos and start < self.edit_pos else start)
        return left

    def _hold(self, text: str) -> str:
        size, lines = amount(len(text.encode(errors="replace"))), text.count("\n") + (not text.endswith("\n"))
        for number in count(1):
            which = f" {number}" if number > 1 else ""
            mark = f"[pasted text{which}, {size}, {lines} line{'s' if lines > 1 else ''}]"
            if mark not in self._held and mark not in self.edit_text:
                break
        self._held[mark] = text
        self._find_held()
        return mark

    def _find_held(self) -> None:
        self._marks = re.compile("|".join(map(re.escape, self._held)) or "(?!)")

    def _marked(self, place: int) -> re.Match[str] | None:
        """Return the mark that the character at ``place`` belongs to."""
        return next((mark for mark in self._marks.finditer(self.edit_text) if mark.start() <= place < mark.end()), None)

    def _remove(self, start: int, end: int) -> None:
        """Remove what is between two places, or the mark that is there."""
        if mark := self._marked(start):
            start, end = mark.span()
            del self._held[mark[0]]
            self._find_held()
        self.set_edit_text(self.edit_text[:start] + self.edit_text[end:])
        self.set_edit_pos(start)
