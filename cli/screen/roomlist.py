"""The column of rooms beside the one that is shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import urwid

from cli.screen.columns import fitted, width_of
from cli.screen.conversation import Conversation
from cli.screen.room import Room
from cli.screen.row import Label
from cli.screen.standing import Part, unread
from wire.text import safe_line

WIDTH = 22  # columns, with the line at the right
WIDE = 100  # columns of a screen that has room for it
LEAST = 2 * WIDTH  # columns of a screen that may be made to have it


class RoomList(urwid.WidgetWrap[urwid.Columns]):
    """All rooms with their numbers and what is unread in them; a click shows one.

    It is one text: with a widget for each room and its parts, fifty would take as long to draw as all the rest.
    """

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._first = 0  # the room in the first row
        self._rows: list[list[Part]] = []
        self._text = Label("", "room")
        rows = urwid.Filler(self._text, urwid.VAlign.TOP)
        super().__init__(urwid.Columns([rows, (1, urwid.AttrMap(urwid.SolidFill("│"), "line"))]))

    def selectable(self) -> bool:
        """Return False: keys are for the input."""
        return False

    def wanted(self, columns: int, choice: str) -> bool:
        """Return whether a screen of so many ``columns`` has it, where the setting says ``choice``."""
        if choice == "auto":
            return columns >= WIDE and len(self._conversation.rooms) > 1
        return choice == "on" and columns >= LEAST

    def refresh(self, rows: int) -> None:
        """Take what the conversation is now, for so many ``rows``."""
        rooms, current = self._conversation.rooms, self._conversation.current
        here = rooms.index(current)
        self._first = max(here - rows + 1, min(self._first, here, max(0, len(rooms) - rows)))
        shown = enumerate(rooms[self._first : self._first + rows], self._first + 1)
        lines = [_row(number, room, room is current) for number, room in shown]
        if lines != self._rows:
            self._rows = lines
            self._text.say_parts((part.text, part.style) for part in _joined(lines))

    def mouse_event(  # type: ignore[override]  # it is a box
        self, _size: tuple[int, int], event: str, button: int, _column: int, row: int, _focus: bool
    ) -> bool:
        """Show the room that is clicked on."""
        if event == "mouse press" and button == 1 and row < len(self._rows):
            self._conversation.select(self._first + row + 1)
            return True
        return False


def _row(number: int, room: Room, here: bool) -> list[Part]:
    """Return the number, the name, and at the margin the counts, in exactly as many columns as there are."""
    counts = list(unread(room))
    left = WIDTH - 4 - width_of("".join(part.text for part in counts)) - bool(counts)
    name = fitted(safe_line(room.name), left)
    gap = " " * (left - width_of(name) + bool(counts))
    return [Part(f"{number:>2} ", "time"), Part(name + gap, "here" if here else "room"), *counts]


def _joined(lines: Iterable[list[Part]]) -> Iterator[Part]:
    for number, line in enumerate(lines):
        if number:
            yield Part("\n", "room")
        yield from line
