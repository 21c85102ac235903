"""The whole screen."""

from __future__ import annotations

from collections.abc import Callable

import urwid

from cli.screen.conversation import Conversation
from cli.screen.keys import Keys
from cli.screen.look import Look
from cli.screen.room import Room
from cli.screen.roomlist import WIDTH, RoomList
from cli.screen.row import Label, text_width
from cli.screen.statusline import StatusLine
from cli.screen.view import WHEEL, View
from cli.screen.writing import Writing
from cli.settings import Settings

_WHEEL = {4: -WHEEL, 5: WHEEL}  # buttons that a terminal presses when the wheel is turned


class Window(urwid.WidgetWrap[urwid.Pile]):
    """The whole screen: the list of rooms and the one that is shown, a status line, what is asked, the input.

    Text that is typed goes to ``writing``, and what ``keys`` do is theirs. ``drawn`` is called when it is known what is
    on the screen.
    """

    def __init__(
        self,
        conversation: Conversation,
        writing: Writing,
        keys: Keys,
        settings: Settings,
        drawn: Callable[[], object],
    ) -> None:
        self._conversation = conversation
        self._settings = settings
        self._writing = writing
        self._input = writing.input
        self._keys = keys
        self._look = Look(conversation.user, conversation.highlights)
        settings.watch("highlight", self._look_anew)
        self._drawn = drawn
        self._status = StatusLine(conversation)
        self._prompt = Label("", "prompt")
        self._asked = urwid.Filler(self._prompt, "top")  # of a long one the beginning is seen
        self._views: dict[Room, View] = {}
        self._view_size = (1, 1)
        self._rooms = RoomList(conversation)
        self._box = urwid.ListBox([self._input])  # scrolls a long text so that the cursor is seen
        self._pile: urwid.Pile = urwid.Pile([self.view, ("pack", self._status), (1, self._box)])
        self._pile.focus_position = 2
        super().__init__(self._pile)

    def refresh(self, size: tuple[int, int], now: float) -> None:
        """Take what the conversation is at ``now`` (by the reactor's clock) for a screen of ``size``."""
        columns, rows = size
        self._writing.refresh()
        prompt = self._writing.prompt
        self._prompt.say(prompt)
        asked = min(self._prompt.rows((columns,)), max(1, rows // 3)) if prompt else 0
        typed = min(self._input.rows((columns,), True), max(1, rows // 3))
        listed = self._rooms.wanted(columns, self._settings.room_list)
        self._view_size = columns - WIDTH * listed, max(1, rows - typed - 1 - asked)
        view = self.view
        view.refresh(self._view_size)
        self._rooms.refresh(self._view_size[1])
        self._status.refresh(now, rooms=not listed)
        body = urwid.Columns([(WIDTH, self._rooms), view]) if listed else view
        self._pile.contents[0] = body, self._pile.options()
        above = [(self._asked, self._pile.options("given", asked))] if asked else []
        self._pile.contents[2:] = [*above, (self._box, self._pile.options("given", typed))]
        self._pile.focus_position = 2 + len(above)
        self._drawn()

    def keypress(self, size: tuple[int, ...], key: str) -> str | None:  # noqa: ARG002
        """Do what ``key`` means; return it where it means nothing."""
        if self._writing.press(key):
            self._keys.forget()
            return None
        return None if self._keys.press(key) else key

    def _look_anew(self) -> None:
        for view in self._views.values():
            view.look_anew()

    @property
    def text_width(self) -> int:
        """How many columns a text has."""
        return text_width(self._view_size[0])

    def mouse_event(
        self, size: tuple[int, ...], event: str, button: int, col: int, row: int, focus: bool
    ) -> bool | None:
        """Turn the wheel; return whether the mouse did anything."""
        if event == "mouse press" and button in _WHEEL:
            self.view.scroll(_WHEEL[button])
            return True
        taken: bool | None = super().mouse_event(size, event, button, col, row, focus)
        return taken

    @property
    def view(self) -> View:
        """The room that is shown, as far as it is on the screen."""
        room = self._conversation.current
        if room not in self._views:
            there = self._conversation.rooms  # those that were left go
            self._views = {kept: view for kept, view in self._views.items() if kept in there}
            self._views[room] = View(room, self._look)
        return self._views[room]
