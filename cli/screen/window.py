"""The whole screen."""

from __future__ import annotations

import urwid

from cli.screen.conversation import Conversation
from cli.screen.input import Input
from cli.screen.keys import Keys
from cli.screen.paste import Pasted
from cli.screen.room import Room
from cli.screen.row import Label
from cli.screen.view import View

_INPUT_FIRST = {"up", "down"}


class Window(urwid.WidgetWrap[urwid.Pile]):
    """The whole screen: the room that is shown, a status line, the input.

    ``keys`` are those that mean something beside the input's own; it takes Up and Down while it has lines to go to.
    """

    def __init__(self, conversation: Conversation, input: Input, keys: Keys) -> None:
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
        self._keys.press(key)
        return None

    def page(self, key: str) -> None:
        """Turn the page of the room that is shown: 'page up' or 'page down'."""
        self._view().page(self._view_size, key)

    def _view(self) -> View:
        room = self._conversation.current
        if room not in self._views:
            self._views[room] = View(room)
        return self._views[room]
