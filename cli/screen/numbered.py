"""Messages by their numbers: which ones Tab offers behind a command that takes one, and what each of them says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cli.inbox import Message
from cli.screen.conversation import Conversation
from cli.screen.lines import lines_of
from wire.names import fold

MOST: Final = 100  # messages that are offered


class Numbered:
    """The messages of the room that ``conversation`` shows, from the lowest on the screen up."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    def offered(self, begun: str) -> list[str]:
        """Return numbers that begin so, or those of who is called so; one's own messages come first."""
        word, own = fold(begun), fold(self._conversation.user)
        found = [
            message
            for message in self._upward()
            if str(message.id).startswith(word) or fold(message.sender).startswith(word)
        ]
        found.sort(key=lambda message: fold(message.sender) != own)
        return [str(message.id) for message in found]

    def told(self, number: str) -> str:
        """Return who says what in the message of that number; nothing where it is not here."""
        message = (
            self._conversation.current.history.get(int(number)) if number.isascii() and number.isdecimal() else None
        )
        if message is None:
            return ""
        first, *_ = lines_of(message)
        return f"{message.id}, {message.sender}: {first.text}"

    def _upward(self) -> Iterator[Message]:
        room = self._conversation.current
        for id in range(room.on_screen.last, max(room.on_screen.last - MOST, 0), -1):
            message = room.history.get(id)
            if message is not None and not message.deleted:
                yield message
