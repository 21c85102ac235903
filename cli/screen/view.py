"""One room, as far as it is on the screen."""

from __future__ import annotations

from collections import OrderedDict

import urwid

from cli.screen.lines import Line
from cli.screen.look import Look
from cli.screen.room import Room
from cli.screen.row import row

KEPT = 500  # widgets of lines that were looked at; no screen has as many rows


class Stream(urwid.ListWalker[int, urwid.Columns]):
    """The lines of a room as widgets, made when they are looked at. Positions are those of the room."""

    def __init__(self, room: Room, look: Look) -> None:
        self.room = room
        self._look = look
        self._width = 0  # columns of the screen
        self._widgets: OrderedDict[Line, urwid.Columns] = OrderedDict()  # the one looked at last is last

    def __getitem__(self, position: int) -> urwid.Columns:
        """Return what shows the line at ``position``; IndexError where there is none."""
        line = self.room[position]
        widget = self._widgets.pop(line, None)
        self._widgets[line] = widget = row(line, self._width, self._look) if widget is None else widget
        if len(self._widgets) > KEPT:
            self._widgets.popitem(last=False)
        return widget

    @property
    def focus(self) -> int:
        """The position that is looked at."""
        return self.room.position

    def set_focus(self, position: int) -> None:
        """Look at ``position``."""
        self.room.look_at(position)
        self._modified()

    def next_position(self, position: int) -> int:
        """Return the position after ``position``, whether or not there is one."""
        return position + 1

    def prev_position(self, position: int) -> int:
        """Return the position before ``position``, whether or not there is one."""
        return position - 1

    def refresh(self, width: int) -> None:
        """Take what is in the room now, for a screen of ``width`` columns."""
        if width != self._width:
            self._width = width
            self._widgets.clear()
        self._modified()


class View(urwid.ListBox[int]):
    """A room, as far as it is on the screen."""

    def __init__(self, room: Room, look: Look) -> None:
        self.room = room
        self._stream = Stream(room, look)
        super().__init__(self._stream)

    def selectable(self) -> bool:
        """Return False: keys are for the input."""
        return False

    def refresh(self, size: tuple[int, int]) -> None:
        """Take what is in the room now, for a view of ``size`` (columns, rows)."""
        self._stream.refresh(size[0])
        if self.room.follows:
            self._show_end(size)

    def lines(self, size: tuple[int, int]) -> list[Line]:
        """Return what is on the screen, downward."""
        middle, above, below = self.calculate_visible(size)
        if middle is None or above is None or below is None:
            return []
        positions = [
            *(row.position for row in reversed(above.fill)),
            middle.focus_pos,
            *(row.position for row in below.fill),
        ]
        return [self.room[position] for position in positions]

    def page(self, size: tuple[int, int], key: str) -> None:
        """Look at what is before ('page up') or behind ('page down') what is seen, and follow where the end is seen."""
        self.room.look_at(self.room.position)
        self.keypress(size, key)
        if "bottom" in self.ends_visible(size):
            self.room.follow()

    def _show_end(self, size: tuple[int, int]) -> None:
        columns, rows = size
        last = self.focus
        if last is not None:
            self.shift_focus(size, rows - last.rows((columns,)))
