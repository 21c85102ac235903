"""The column of rooms beside the one that is shown."""

from __future__ import annotations

import urwid

from cli.screen.conversation import Conversation
from cli.screen.room import Room
from cli.screen.row import Label
from cli.screen.standing import Part, unread

WIDTH = 22  # columns, with the line at the right
WIDE = 100  # columns of a screen that has room for it
LEAST = 2 * WIDTH  # columns of a screen that may be made to have it


class RoomList(urwid.WidgetWrap[urwid.Columns]):
    """All rooms with their numbers and what is unread in them; a click shows one."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._first = 0  # the room in the first row
        self._shown: list[list[Part]] = []
        self._rows: urwid.SimpleListWalker[urwid.Columns] = urwid.SimpleListWalker([])
        super().__init__(urwid.Columns([urwid.ListBox(self._rows), (1, urwid.AttrMap(urwid.SolidFill("│"), "line"))]))

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
        shown = [
            _row(number, room, room is current)
            for number, room in enumerate(rooms[self._first : self._first + rows], self._first + 1)
        ]
        if shown != self._shown:
            self._shown = shown
            self._rows[:] = [_label(parts) for parts in shown]

    def mouse_event(  # type: ignore[override]  # it is a box
        self, _size: tuple[int, int], event: str, button: int, _column: int, row: int, _focus: bool
    ) -> bool:
        """Show the room that is clicked on."""
        if event == "mouse press" and button == 1 and row < len(self._shown):
            self._conversation.select(self._first + row + 1)
            return True
        return False


def _row(number: int, room: Room, here: bool) -> list[Part]:
    return [Part(f"{number:>2} ", "time"), Part(room.name, "here" if here else "room"), *unread(room)]


def _label(parts: list[Part]) -> urwid.Columns:
    number, name, *counts = parts
    room, count = Label(name.text, name.style, line=True), Label("", "unread", line=True, align=urwid.Align.RIGHT)
    count.say_parts(counts)
    width = sum(len(part.text) for part in counts)
    return urwid.Columns([(3, Label(number.text, number.style, line=True)), room, (width + (width > 0), count)])
