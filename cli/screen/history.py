"""What a room's messages are, as far as they are known: which the server keeps, which are here, which to fetch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from cli.inbox import Message
from cli.screen.scrollback import Bound, Scrollback

PAGE: Final = 100  # messages that are asked for at once: 6 MB at most


class Span(NamedTuple):
    """Messages, by the first id and the last."""

    first: int
    last: int


class History:
    """The messages ``first_id`` to ``last_id``, of which any may be missing here."""

    def __init__(self) -> None:
        self.opened = False  # by the server; what came before is all that there is until then
        self.first_id = 1  # of the messages that the server keeps
        self.last_id = 0  # of those that came
        self._kept = Scrollback()

    def open(self, first_id: int, last_id: int) -> bool:
        """The server keeps these. Return whether what was here before is no more: it was restored from a copy.

        Above what has come here it goes on by itself, so ``last_id`` counts at the first time only.
        """
        restored = self.opened and last_id < self.last_id
        if restored:
            self._kept = Scrollback()
        if restored or not self.opened:
            self.last_id = last_id
        self.opened = True
        self.first_id = 1
        self.prune(first_id)
        return restored

    def prune(self, first_id: int) -> None:
        """The server keeps none before ``first_id``."""
        self.first_id = max(self.first_id, first_id)
        self.last_id = max(self.last_id, self.first_id - 1)
        self._kept.clip(self.first_id, self.last_id)

    def get(self, id: int) -> Message | None:
        """Return the message with that id, None where it is not here."""
        return self._kept.get(id)

    def put(self, message: Message) -> None:
        """Have ``message``."""
        self.last_id = max(self.last_id, message.id)
        self._kept.put(message)

    def __iter__(self) -> Iterator[Message]:
        """Yield the messages that are here, in no order."""
        return iter(self._kept)

    def is_missing(self, id: int) -> bool:
        """Whether there is a message with that id, and it is not here."""
        return self.first_id <= id <= self.last_id and self._kept.get(id) is None

    def gap(self, id: int) -> Span:
        """Return the missing messages around ``id``, which is missing too."""
        return Span(*self._kept.ids.gap(id, self.first_id, self.last_id))

    def run(self, id: int) -> Span | None:
        """Return the messages around ``id`` that are here without a gap, None where that one is not."""
        run = self._kept.ids.run(id)
        return None if run is None else Span(*run)

    def wanted(self, id: int, near: Span) -> Span | None:
        """Return which messages to fetch so that all ``near`` are here, those first that are nearest to ``id``.

        At most ``PAGE`` of them; None where none is missing.
        """
        near = Span(max(near.first, self.first_id), min(near.last, self.last_id))
        if not self.opened or near.first > near.last:
            return None
        id = min(max(id, near.first), near.last)
        here = self.run(id) or Span(id + 1, id - 1)
        missing = [beside for beside in (here.first - 1, here.last + 1) if near.first <= beside <= near.last]
        if not missing:
            return None
        first, last = self.gap(min(missing, key=lambda beside: abs(beside - id)))
        last = min(last, max(id + PAGE // 2, first + PAGE - 1))
        return Span(max(first, last - PAGE + 1), last)

    def load(self, wanted: Span, messages: Iterable[Message]) -> list[Message]:
        """Take the answer for what was ``wanted``, and return what is new; before where it begins there is nothing."""
        came = [message for message in messages if wanted.first <= message.id <= wanted.last]
        for message in came:
            self.put(message)
        oldest = min((message.id for message in came), default=wanted.last + 1)
        if oldest > wanted.first:
            self.prune(oldest)
        return came

    def let_go(self, near: Span, bound: Bound) -> None:
        """Keep no more than ``bound``, but all that is ``near``."""
        self._kept.let_go(near, bound)
