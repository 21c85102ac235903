"""Messages that have come and were not read yet."""

from __future__ import annotations

from collections import deque
from typing import Final

from msgspec import Struct
from msgspec.structs import replace
from twisted.internet.defer import Deferred, fail, succeed
from twisted.python.failure import Failure

from cli.refusals import ClientClosed

MESSAGES: Final = 1000  # that wait at most: some screens full, so that a reader seldom has to wait for the server
BYTES: Final = 1024 * 1024  # of their text, at most, beyond the last one


class Message(Struct, frozen=True, gc=False):
    """One message of a room; ``size`` stands where ``text`` is only the beginning, ``name`` where it is a file."""

    room: str
    id: int
    sender: str
    at: int  # milliseconds since 1970-01-01 UTC
    text: str
    size: int | None = None  # bytes
    name: str | None = None
    deleted: bool = False


class Inbox:
    """A bounded queue from the network to whoever reads. One that does not ``keep`` lets go of what is put into it."""

    def __init__(self, keep: bool = True) -> None:
        self.keep = keep
        self._messages: deque[tuple[Message, int]] = deque()
        self._bytes = 0
        self._readers: deque[Deferred[Message]] = deque()
        self._closed: ClientClosed | None = None

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def has_room(self) -> bool:
        """Whether so much was read that it is worth asking for more."""
        return len(self._messages) <= MESSAGES // 2 and self._bytes <= BYTES // 2

    def put(self, message: Message, size: int) -> bool:
        """Take ``message``, whose text has ``size`` bytes, and return True, or False where the inbox is full."""
        if not self.keep:
            return True
        if self._readers:
            self._readers.popleft().callback(message)
            return True
        if len(self._messages) >= MESSAGES or self._bytes >= BYTES:
            return False
        self._messages.append((message, size))
        self._bytes += size
        return True

    def delete(self, room: str, id: int) -> None:
        """Let the message, if it waits here, have no content."""
        for place, (message, size) in enumerate(self._messages):
            if message.id == id and message.room == room:
                self._messages[place] = replace(message, text="", size=None, name=None, deleted=True), size

    def get(self) -> Deferred[Message]:
        """Return the next message, when it is there; errback :class:`ClientClosed` where none will come any more."""
        if self._messages:
            message, size = self._messages.popleft()
            self._bytes -= size
            return succeed(message)
        if self._closed is not None:
            return fail(self._closed)
        reader: Deferred[Message] = Deferred(self._readers.remove)
        self._readers.append(reader)
        return reader

    def close(self, why: ClientClosed) -> None:
        """Nothing more will be put; what is there can still be read."""
        self._closed = why
        while self._readers:
            self._readers.popleft().errback(Failure(why))
