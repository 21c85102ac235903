"""What the screen is made of.

All text that is shown goes through :class:`Label`, and what is typed or pasted through :meth:`Input.insert`: there
what others wrote is made harmless, and nowhere else.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from itertools import count

import urwid

from cli.model import Conversation, Line, Room, amount
from cli.paste import Pasted
from wire.text import safe, safe_line

KEPT = 500  # widgets of lines that were looked at; no screen has as many rows
LONG = 4096  # characters of a paste, from which it is held
LINES = 50  # of a paste, likewise
SHORT = 80  # characters of a paste that is not held even where the input is long already

_INPUT_FIRST = {"up", "down"}

PALETTE = [
    ("time", "dark gray", "default"),
    ("name", "default,bold", "default"),
    ("talk", "default", "default"),
    ("action", "dark magenta", "default"),
    ("deleted", "dark gray", "default"),
    ("notice", "dark cyan", "default"),
    ("unsent", "dark gray", "default"),
    ("refused", "dark red", "default"),
    ("status", "default,standout", "default"),
]


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


class Stream(urwid.ListWalker[int, urwid.Columns]):
    """The lines of a room as widgets, made when they are looked at. Positions are those of the room."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self._width = 0  # columns of the screen
        self._widgets: OrderedDict[Line, urwid.Columns] = OrderedDict()  # the one looked at last is last

    def __getitem__(self, position: int) -> urwid.Columns:
        """Return what shows the line at ``position``; IndexError where there is none."""
        line = self.room[position]
        widget = self._widgets.pop(line, None)
        self._widgets[line] = widget = _row(line, self._width) if widget is None else widget
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


def _row(line: Line, width: int) -> urwid.Columns:
    names = max(6, min(16, width // 6))  # columns
    return urwid.Columns(
        [
            (5, Label(line.clock, "time", line=True)),
            (names, Label(line.name, "name", line=True, align=urwid.Align.RIGHT)),
            Label(line.text, line.kind.value),
        ],
        dividechars=1,
    )


class View(urwid.ListBox[int]):
    """A room, as far as it is on the screen."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self._stream = Stream(room)
        super().__init__(self._stream)

    def selectable(self) -> bool:
        """Return False: keys are for the input."""
        return False

    def refresh(self, size: tuple[int, int]) -> None:
        """Take what is in the room now, for a view of ``size`` (columns, rows)."""
        self._stream.refresh(size[0])
        if self.room.follows:
            self._show_end(size)

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


class Window(urwid.WidgetWrap[urwid.Pile]):
    """The whole screen: the room that is shown, a status line, the input.

    ``keys`` are those that mean something beside the input's own; it takes Up and Down while it has lines to go to.
    """

    def __init__(self, conversation: Conversation, input: Input, keys: Mapping[str, Callable[[], object]]) -> None:
        self._conversation = conversation
        self._input = input
        self._keys = keys
        self._status = Label("", "status", line=True)
        self._views: dict[Room, View] = {}
        self._view_size = (1, 1)
        self._box = urwid.ListBox([input])  # scrolls a long text so that the cursor is seen
        self._pile: urwid.Pile = urwid.Pile(
            [self._view(), ("pack", urwid.AttrMap(self._status, "status")), (1, self._box)]
        )
        self._pile.focus_position = 2
        super().__init__(self._pile)

    def refresh(self, size: tuple[int, int], now: float) -> None:
        """Take what the conversation is at ``now`` (by the reactor's clock) for a screen of ``size``."""
        columns, rows = size
        typed = min(self._input.rows((columns,), True), max(1, rows // 3))
        self._view_size = columns, max(1, rows - typed - 1)
        view = self._view()
        view.refresh(self._view_size)
        self._status.say(self._conversation.status_line(now))
        self._pile.contents[0] = view, self._pile.options()
        self._pile.contents[2] = self._box, self._pile.options("given", typed)

    def keypress(self, size: tuple[int, ...], key: str) -> str | None:
        """Do what ``key`` means; return it where it means nothing."""
        if isinstance(key, Pasted):
            self._input.insert(key)
            return None
        if key in _INPUT_FIRST or key not in self._keys:
            left = super().keypress(size, key)
            if left is None or left not in self._keys:
                return left
        self._keys[key]()
        return None

    def page(self, key: str) -> None:
        """Turn the page of the room that is shown: 'page up' or 'page down'."""
        self._view().page(self._view_size, key)

    def _view(self) -> View:
        room = self._conversation.current
        if room not in self._views:
            self._views[room] = View(room)
        return self._views[room]
