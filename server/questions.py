"""The questions of a client that are answered by more than one frame, and how the answers are given.

An answer takes its turn beside the rooms of its connection: one piece whenever the connection can take more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from server.log import Segment
from server.outlet import Outlet, Reader, Source
from server.refusals import AWAY, echo_of, error
from server.room import write_piece
from server.shelf import Shelf
from server.turns import Turns
from storage.interface import StorageDown, UnknownMessage
from wire.frames import MAX_BODY, Done, Echo, Piece, RoomInfo, RoomList, Users, encode
from wire.names import fold

OPEN: Final = 16  # questions of one connection at once
STEP: Final = 64  # messages read at a time for one answer: 4 MiB of the largest
USERS_A_FRAME: Final = 400  # names of 32 characters of 4 bytes: 52 KB
ROOMS_A_FRAME: Final = 250  # likewise, with three numbers each


class Question(Source, Protocol):
    """An open question."""

    def cancel(self) -> None:
        """Give no more."""


class Asker(Reader, Protocol):
    """A connection, as its questions see it."""

    def send(self, data: bytes) -> None:
        """Send encoded frames behind all that was written."""

    def no_more(self, source: Source) -> None:
        """``source`` gives nothing any more."""

    def settled(self) -> None:
        """A question is closed."""


class Questions:
    """The open questions of one connection, by their ``ref``. ``down()`` says whether the database is away."""

    _log = Logger()

    def __init__(self, asker: Asker, down: Callable[[], bool]) -> None:
        self._asker = asker
        self._down = down
        self._open: dict[int, tuple[Echo, Question | None]] = {}

    def __bool__(self) -> bool:
        return bool(self._open)

    def opens(self, frame: Any) -> bool:
        """Open what ``frame`` asks, which is answered by :meth:`answered` or :meth:`failed`; False if it is refused."""
        if frame.ref in self._open:
            self._refuse(frame, "bad_frame", "a question with this ref is open")
        elif len(self._open) >= OPEN:
            self._refuse(frame, "too_many", f"at most {OPEN} questions at once")
        else:
            self._open[frame.ref] = echo_of(frame), None
            return True
        return False

    def opens_reading(self, frame: Any) -> bool:
        """As :meth:`opens`, but refuse it too while the database is away."""
        if not self.opens(frame):
            return False
        if self._down():
            self.answered(frame.ref, error("storage_down", AWAY, echo_of(frame)))
            return False
        return True

    def give(self, ref: int, question: Question) -> None:
        """Have an open question answered by ``question``, in its turn."""
        self._open[ref] = self._open[ref][0], question
        self.more(question)

    def more(self, question: Question) -> None:
        """``question`` has something to give."""
        self._asker.has_more(question)

    def cancel(self, ref: int) -> None:
        """End a question early."""
        if ref in self._open:
            self._stop(ref)
            self.answered(ref, encode(Done(ref)))

    def answered(self, ref: int, last: bytes) -> None:
        """Send the last frames of an answer; its question is closed. One that was cancelled is answered already."""
        if self._open.pop(ref, None) is not None:
            self._asker.send(last)
            self._asker.settled()

    def failed(self, ref: int, failure: Failure) -> None:
        """Say that a question could not be answered."""
        if ref not in self._open:
            return
        if failure.check(StorageDown):
            code, text = "storage_down", AWAY
        elif failure.check(UnknownMessage):
            code, text = "unknown_message", "there is no such message"
        else:
            code, text = "failed", "the operator finds the reason in the log"
            self._log.failure("a question failed", failure)
        self.answered(ref, error(code, text, self._open[ref][0]))

    def close(self) -> None:
        """The connection is gone."""
        for ref in list(self._open):
            self._stop(ref)

    def _stop(self, ref: int) -> None:
        _, question = self._open[ref]
        if question is not None:
            question.cancel()
            self._asker.no_more(question)

    def _refuse(self, frame: Any, code: str, text: str) -> None:
        self._asker.send(error(code, text, echo_of(frame)))


class HistoryQuestion:
    """The messages ``first`` … ``last`` of a room, read a few at a time.

    ``read(first, last)`` gets some of them from the storage, encoded with the question's ``ref``; None where none is
    kept.
    """

    _log = Logger()

    def __init__(
        self,
        questions: Questions,
        ref: int,
        first: int,
        last: int,
        read: Callable[[int, int], Deferred[Segment | None]],
    ) -> None:
        self._ref = ref
        self._questions = questions
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
            self._questions.answered(self._ref, encode(Done(self._ref)))
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
        self._questions.more(self)

    def _failed(self, failure: Failure) -> None:
        self._reading = None
        self._last = 0
        if not failure.check(CancelledError):
            self._questions.failed(self._ref, failure)


class FetchQuestion:
    """The content of one message from byte ``offset`` on: a cursor in it, as there is one in a room.

    ``shelf`` has some of it by ``place``, which is the content's own, and the offset where that begins. Nothing of it
    is held here, so a thousand who fetch and do not read cost no memory. For each piece it waits for one of the
    ``turns`` that all who fetch share.
    """

    _log = Logger()

    def __init__(
        self,
        questions: Questions,
        ref: int,
        place: tuple[int, int],
        offset: int,
        shelf: Shelf[tuple[int, int, int], bytes],
        turns: Turns,
    ) -> None:
        self._ref = ref
        self._questions = questions
        self._place = place
        self._shelf = shelf
        self._turns = turns
        self._has_turn = True
        self._start = self._offset = offset  # where what is being given begins, and how far we are
        self._ended = False
        self._reading = False

    def give(self, outlet: Outlet) -> bool:
        """Write one piece, read the next ones, or end the question."""
        if not self._has_turn:
            self._turns.wait(self._turn_came)
            return False
        data = self._shelf.get((*self._place, self._start))
        if data is None:
            self._read()
            return False
        if not data:
            self._questions.answered(self._ref, encode(Done(self._ref)))
            return False
        self._has_turn = False
        self._write(outlet, data[self._offset - self._start :][:MAX_BODY])
        if self._offset == self._start + len(data):
            self._start = self._offset
        return True

    def cancel(self) -> None:
        """Read no more."""
        self._ended = True

    def _write(self, outlet: Outlet, body: bytes) -> None:
        frame = encode(Piece(self._ref, self._offset), body)
        sent = outlet.offer(memoryview(frame))
        if 0 < sent < len(frame):
            outlet.write(frame[sent:])
        if sent:
            self._offset += len(body)

    def _turn_came(self) -> None:
        self._has_turn = True
        if not self._ended:
            self._questions.more(self)

    def _read(self) -> None:
        if not self._reading:
            self._reading = True
            reading = self._shelf.load((*self._place, self._start)).addCallbacks(self._was_read, self._failed)
            reading.addErrback(lambda failure: self._log.failure("answering a question", failure))

    def _was_read(self, _: bytes) -> None:
        self._reading = False
        if not self._ended:
            self._questions.more(self)

    def _failed(self, failure: Failure) -> None:
        self._questions.failed(self._ref, failure)


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
