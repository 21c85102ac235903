"""The questions of a client that are answered by more than one frame, and how the answers are given.

An answer takes its turn beside the rooms of its connection: one piece whenever the connection can take more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from server.log import Segment
from server.outlet import Outlet, Reader, Source
from server.room import write_piece
from wire.frames import Done, RoomInfo, RoomList, Users, encode
from wire.names import fold

OPEN: Final = 16  # questions of one connection at once
STEP: Final = 64  # messages read at a time for one answer: 4 MiB of the largest
USERS_A_FRAME: Final = 400  # names of 32 characters of 4 bytes: 52 KB
ROOMS_A_FRAME: Final = 250  # likewise, with three numbers each


class Question(Source, Protocol):
    """An open question."""

    ref: int

    def cancel(self) -> None:
        """Give no more."""


class Asker(Reader, Protocol):
    """A connection, as its questions see it."""

    def answered(self, ref: int, last: bytes) -> None:
        """Send the last frames of an answer; its question is closed."""

    def failed(self, ref: int, failure: Failure) -> None:
        """Say that a question could not be answered."""


class HistoryQuestion:
    """The messages ``first`` … ``last`` of a room, read a few at a time.

    ``read(first, last)`` gets some of them from the storage, encoded with the question's ``ref``; None where none is
    kept.
    """

    _log = Logger()

    def __init__(
        self,
        connection: Asker,
        ref: int,
        first: int,
        last: int,
        read: Callable[[int, int], Deferred[Segment | None]],
    ) -> None:
        self.ref = ref
        self._connection = connection
        self._read = read
        self._id = first - 1
        self._last = last
        self._segment: Segment | None = None
        self._reading: Deferred[None] | None = None

    def give(self, outlet: Outlet) -> bool:
        """Write one piece, read the next ones, or end the question."""
        if self._segment is not None and self._id < self._segment.last_id:
            self._id = write_piece(outlet, self._segment.after(self._id), self._id)
            return True
        if self._id >= self._last:
            self._connection.answered(self.ref, encode(Done(self.ref)))
            return False
        if self._reading is None:
            self._reading = self._read(self._id + 1, min(self._id + STEP, self._last)).addCallbacks(
                self._was_read, self._failed
            )
            self._reading.addErrback(lambda failure: self._log.failure("answering a question", failure))
        return False

    def cancel(self) -> None:
        """Read no more."""
        self._segment = None
        self._last = 0
        if self._reading is not None:
            self._reading.cancel()

    def _was_read(self, segment: Segment | None) -> None:
        self._reading = None
        self._segment = segment
        if segment is None:  # pruned meanwhile: what is left of it comes further on
            self._id = min(self._id + STEP, self._last)
        else:
            self._id = max(self._id, segment.first_id - 1)
        self._connection.has_more(self)

    def _failed(self, failure: Failure) -> None:
        self._reading = None
        self._last = 0
        if not failure.check(CancelledError):
            self._connection.failed(self.ref, failure)


def users_frames(ref: int, users: list[str]) -> bytes:
    """Return the answer to ``who``: the users sorted by code point of their folded names."""
    users = sorted(users, key=fold)
    starts = range(0, max(len(users), 1), USERS_A_FRAME)
    return b"".join(encode(Users(ref, users[at : at + USERS_A_FRAME])) for at in starts)


def rooms_frames(ref: int, rooms: dict[str, RoomInfo]) -> bytes:
    """Return the answer to ``rooms``."""
    listed = list(rooms.items())
    starts = range(0, max(len(listed), 1), ROOMS_A_FRAME)
    return b"".join(encode(RoomList(ref, dict(listed[at : at + ROOMS_A_FRAME]))) for at in starts)
