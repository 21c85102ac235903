"""The messages of a room that are kept to be scrolled through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from cli.inbox import Message
from cli.screen.runs import Runs


class Bound(NamedTuple):
    """How much is kept of a room: ``messages``, and ``characters`` of their texts."""

    messages: int
    characters: int


SHOWN: Final = Bound(10_000, 4 * 2**20)  # of the room that is shown: hours of talk, 5 to 16 MB
HIDDEN: Final = Bound(500, 2**18)  # of each other, of which there may be a hundred: enough to go there and read


class Scrollback:
    """Messages by their ids, of which any may be missing. Far ones are let go; the server has them."""

    def __init__(self) -> None:
        self.ids = Runs()
        self._messages: dict[int, Message] = {}
        self._characters = 0

    def __len__(self) -> int:
        return len(self._messages)

    def __iter__(self) -> Iterator[Message]:
        return iter(self._messages.values())

    def get(self, id: int) -> Message | None:
        """Return the message with that id, None where it is not here."""
        return self._messages.get(id)

    def put(self, message: Message) -> None:
        """Keep ``message``, in the place of an older state of it."""
        if (old := self._messages.get(message.id)) is not None:
            self._characters -= len(old.text)
        self._messages[message.id] = message
        self._characters += len(message.text)
        self.ids.add(message.id)

    def let_go(self, near: tuple[int, int], bound: Bound) -> None:
        """Forget what is farthest from the ids ``near``, and none of those, until no more is left than ``bound``."""
        first, last = near
        while len(self._messages) > bound.messages or self._characters > bound.characters:
            before, behind = first - self.ids.lowest, self.ids.highest - last
            if before <= 0 and behind <= 0:
                return
            self._drop_lowest() if before >= behind else self._drop_highest()

    def clip(self, first: int, last: int) -> None:
        """Keep none but the ids from ``first`` to ``last``."""
        while self._messages and self.ids.lowest < first:
            self._drop_lowest()
        while self._messages and self.ids.highest > last:
            self._drop_highest()

    def _drop_lowest(self) -> None:
        self._characters -= len(self._messages.pop(self.ids.lowest).text)
        self.ids.drop_lowest()

    def _drop_highest(self) -> None:
        self._characters -= len(self._messages.pop(self.ids.highest).text)
        self.ids.drop_highest()
