"""The line that tells how it stands."""

from __future__ import annotations

import urwid

from cli.screen.columns import width_of
from cli.screen.conversation import Conversation
from cli.screen.row import Label
from cli.screen.standing import Part, standing
from wire.text import safe_line


class StatusLine(urwid.WidgetWrap[urwid.AttrMap[Label]]):
    """How it stands, in one row; a click on a room's name shows that room."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._parts: list[Part] = []
        self._label = Label("", "status", line=True)
        super().__init__(urwid.AttrMap(self._label, "status"))

    def refresh(self, now: float, *, rooms: bool) -> None:
        """Take what the conversation is at ``now`` (by the reactor's clock), with the other ``rooms`` or without."""
        self._parts = standing(self._conversation, now, rooms=rooms)
        self._label.say_parts((part.text, part.style) for part in self._parts)

    def mouse_event(  # type: ignore[override]  # it is a flow
        self, _size: tuple[int], event: str, button: int, column: int, _row: int, _focus: bool
    ) -> bool:
        """Show the room that is clicked on."""
        number = self._room_at(column)
        if event != "mouse press" or button != 1 or not number:
            return False
        self._conversation.select(number)
        return True

    def _room_at(self, column: int) -> int:
        end = 0
        for part in self._parts:
            end += width_of(safe_line(part.text))
            if column < end:
                return part.room
        return 0
