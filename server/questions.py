"""The questions of a client that are answered by more than one frame, and how the answers are given.

An answer takes its turn beside the rooms of its connection: one piece whenever the connection can take more.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final, Protocol, TypeVar

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from server.intake import Intake
from server.journal import Failed, Journal
from server.log import Segment
from server.outlet import Outlet, Reader, Source
from server.refusals import AWAY, NOT_STORED, Refused, echo_of, error
from server.room import Room, write_piece
from server.shelf import Shelf
from server.turns import Turns
from storage.interface import StorageDown, UnknownMessage
from wire.frames import MAX_BODY, Done, Echo, Piece, RoomInfo, RoomList, Users, encode
from wire.names import fold

T = TypeVar("T")

OPEN: Final = 16  # questions of one connection at once
STEP: Final = 64  # messages read at a time for one answer: 4 MiB of the largest
USERS_A_FRAME: Final = 400  # names of 32 characters of 4 bytes: 52 KB
ROOMS_A_FRAME: Final = 250  # likewise, with three numbers each


class Asked:
    """An open question of a connection: which one it is, what its errors repeat, and what answers it."""

    __slots__ = ("answer", "echo", "ref", "room")

    def __init__(self, ref: int, echo: Echo) -> None:
        self.ref = ref
        self.echo = echo
        self.answer: Answer | None = None
        self.room: Room | None = None  # which it is about


class Answer(Source, Protocol):
    """What answers a question, given in turns."""

    def cancel(self) -> Deferred[None]:
        """Give no more; fires when nothing is being read for it any more."""


class Asker(Reader, Protocol):
    """A connection, as its questions see it."""

    intake: Intake

    def send(self, data: bytes) -> None:
        """Send encoded frames behind all that was written."""

    def no_more(self, source: Source) -> None:
        """``source`` gives nothing any more."""

    def settled(self) -> None:
        """A question is closed."""

    def slow_down(self) -> None:
        """It asks for more than it may: hear nothing of it for a moment."""


class Questions:
    """The open questions of one connection; ``journal`` knows whether the database is away."""

    __slots__ = ("_asker", "_journal", "_open")
    _log = Logger()

    def __init__(self, asker: Asker, journal: Journal) -> None:
        self._asker = asker
        self._journal = journal
        self._open: tuple[Asked, ...] = ()  # few, and of most connections none

    def __bool__(self) -> bool:
        return bool(self._open)

    def __contains__(self, ref: int) -> bool:
        return self._find(ref) is not None

    def _find(self, ref: int) -> Asked | None:
        return next((asked for asked in self._open if asked.ref == ref), None)

    def opens(self, frame: Any) -> Asked | None:
        """Open what ``frame`` asks, which ends by :meth:`answered` or :meth:`failed`; None if it is refused."""
        if frame.ref in self:
            self._refuse(frame, "bad_frame", "a question with this ref is open")
        elif len(self._open) >= OPEN:
            self._refuse(frame, "too_many", f"at most {OPEN} questions at once")
            self._asker.slow_down()
        else:
            asked = Asked(frame.ref, echo_of(frame))
            self._open += (asked,)
            return asked
        return None

    def opens_reading(self, frame: Any) -> Asked | None:
        """As :meth:`opens`, but refuse it too while the database is away."""
        asked = self.opens(frame)
        if asked is not None and self._journal.down:
            self.refused(asked, "storage_down", AWAY)
            return None
        return asked

    def give(self, asked: Asked, answer: Answer) -> None:
        """Have an open question answered by ``answer``, in its turn."""
        asked.answer = answer
        self.more(answer)

    def more(self, answer: Answer) -> None:
        """``answer`` has something to give."""
        self._asker.has_more(answer)

    def cancel(self, ref: int) -> None:
        """End a question early. Who ends many waits until what is being read for them is over."""
        if asked := self._find(ref):
            idle = self._stop(asked)
            self.answered(asked, encode(Done(ref)))
            self._asker.intake.wait_for(_over(idle))

    def answered(self, asked: Asked, last: bytes) -> None:
        """Send the last frames of an answer; its question is closed. One that was cancelled is answered already."""
        if asked in self._open:
            self._open = tuple(other for other in self._open if other is not asked)
            self._asker.send(last)
            self._asker.settled()

    def refused(self, asked: Asked, code: str, text: str) -> None:
        """Say why a question is not answered."""
        self.answered(asked, error(code, text, asked.echo))

    def refuse_about(self, room: Room, code: str, text: str) -> None:
        """End all that is asked about ``room``."""
        for asked in self._open:
            if asked.room is room:
                self._stop(asked)
                self.refused(asked, code, text)

    def failed(self, asked: Asked, failure: Failure) -> None:
        """Say that a question could not be answered."""
        if failure.check(StorageDown):
            self.refused(asked, "storage_down", AWAY)
        elif failure.check(UnknownMessage):
            self.refused(asked, "unknown_message", "there is no such message")
        elif isinstance(failure.value, Refused):
            self.refused(asked, failure.value.code, str(failure.value))
        elif failure.check(Failed):  # that was logged where it happened
            self.refused(asked, "failed", NOT_STORED)
        else:
            self._log.failure("a question failed", failure)
            self.refused(asked, "failed", "the operator finds the reason in the log")

    def do(self, asked: Asked, work: Coroutine[Any, Any, bytes]) -> None:
        """Answer by what ``work`` returns, encoded frames, and ``done``; it may raise :class:`Refused`."""
        done = Deferred.fromCoroutine(work)
        done.addCallback(lambda frames: self.answered(asked, frames + encode(Done(asked.ref))))
        done.addErrback(partial(self.failed, asked))

    def close(self) -> None:
        """The connection is gone."""
        for asked in self._open:
            self._stop(asked)

    def _stop(self, asked: Asked) -> Deferred[None]:
        if asked.answer is None:
            return succeed(None)
        self._asker.no_more(asked.answer)
        return asked.answer.cancel()

    def _refuse(self, frame: Any, code: str, text: str) -> None:
        self._asker.send(error(code, text, echo_of(frame)))


async def _over(idle: Deferred[None]) -> None:
    await idle


class Reading:
    """An answer that is read from the storage, some of it at a time."""

    _log = Logger()

    def __init__(self, questions: Questions, asked: Asked) -> None:
        self._questions = questions
        self._asked = asked
        self._reading = False
        self._cancelled = False
        self._idle: Deferred[None] = Deferred()

    def give(self, outlet: Outlet) -> bool:
        """Write one piece, read the next ones, or end the question; say whether there is more to be written at once."""
        raise NotImplementedError

    def cancel(self) -> Deferred[None]:
        """Give no more; fires when nothing is being read for it any more."""
        self._cancelled = True
        return self._idle if self._reading else succeed(None)

    def _read(self, reading: Deferred[T], take: Callable[[T], None]) -> None:
        """Have ``take`` called with what is being read; then there is something to give."""

        def was_read(result: T) -> None:
            if not self._cancelled:
                take(result)
                self._questions.more(self)

        self._reading = True
        reading.addBoth(self._read_over).addCallbacks(was_read, self._failed)
        reading.addErrback(lambda failure: self._log.failure("answering a question", failure))

    def _read_over(self, result: T) -> T:
        self._reading = False
        if self._cancelled:
            self._idle.callback(None)
        return result

    def _failed(self, failure: Failure) -> None:
        if not self._cancelled:
            self._questions.failed(self._asked, failure)

    def _end(self, last: bytes = b"") -> bool:
        """End the question."""
        self._questions.answered(self._asked, last + encode(Done(self._asked.ref)))
        return False


class HistoryAnswer(Reading):
    """The messages ``first`` … ``last`` of a room, read a few at a time.

    ``read(first, last)`` gets some of them from the storage, encoded with the question's ``ref``; None where none is
    kept. What was read before one of the ``room``'s was deleted is read again.
    """

    def __init__(
        self,
        questions: Questions,
        asked: Asked,
        room: Room,
        first: int,
        last: int,
        read: Callable[[int, int], Deferred[Segment | None]],
    ) -> None:
        super().__init__(questions, asked)
        self._get = read
        self._room = room
        self._edition = room.edition  # of what was read
        self._id = first - 1
        self._last = last
        self._segment: Segment | None = None

    def give(self, outlet: Outlet) -> bool:
        """See :class:`Reading`."""
        if self._edition != self._room.edition:
            self._segment = None
        if self._segment is not None and self._id < self._segment.last_id:
            self._id = write_piece(outlet, self._segment.after(self._id), self._id)
            return True
        if self._id >= self._last:
            return self._end()
        if not self._reading:
            self._read(self._get(self._id + 1, min(self._id + STEP, self._last)), self._was_read)
        return False

    def _was_read(self, segment: Segment | None) -> None:
        self._segment = segment
        self._edition = self._room.edition
        if segment is None:  # pruned meanwhile: what is left of it comes further on
            self._id = min(self._id + STEP, self._last)
        else:
            self._id = max(self._id, segment.first_id - 1)


class FetchAnswer(Reading):
    """The content of one message from byte ``offset`` on: a cursor in it, as there is one in a room.

    ``shelf`` has some of it by ``place``, which is the content's own, and the offset where that begins. Nothing of it
    is held here, so a thousand who fetch and do not read cost no memory. For each piece it waits for one of the
    ``turns`` that all who fetch share.
    """

    def __init__(
        self,
        questions: Questions,
        asked: Asked,
        place: tuple[int, int],
        offset: int,
        shelf: Shelf[tuple[int, int, int], bytes],
        turns: Turns,
    ) -> None:
        super().__init__(questions, asked)
        self._place = place
        self._shelf = shelf
        self._turns = turns
        self._has_turn = True
        self._start = self._offset = offset  # where what is being given begins, and how far we are

    def give(self, outlet: Outlet) -> bool:
        """See :class:`Reading`."""
        if not self._has_turn:
            self._turns.wait(self._turn_came)
            return False
        data = self._shelf.get((*self._place, self._start))
        if data is None:
            if not self._reading:
                self._read(self._shelf.load((*self._place, self._start)), lambda _: None)
            return False
        if not data:
            return self._end()
        self._has_turn = False
        self._write(outlet, data[self._offset - self._start :][:MAX_BODY])
        if self._offset == self._start + len(data):
            self._start = self._offset
        return True

    def _write(self, outlet: Outlet, body: bytes) -> None:
        frame = encode(Piece(self._asked.ref, self._offset), body)
        sent = outlet.offer(memoryview(frame))
        if 0 < sent < len(frame):
            outlet.write(frame[sent:])
        if sent:
            self._offset += len(body)

    def _turn_came(self) -> None:
        self._has_turn = True
        if not self._cancelled:
            self._questions.more(self)


class RoomsAnswer(Reading):
    """All rooms, which ``listing`` gives."""

    def __init__(self, questions: Questions, asked: Asked, listing: Deferred[dict[str, RoomInfo]]) -> None:
        super().__init__(questions, asked)
        self._rooms: dict[str, RoomInfo] | None = None
        self._read(listing, self._listed)

    def give(self, outlet: Outlet) -> bool:  # noqa: ARG002
        """See :class:`Reading`."""
        return self._rooms is not None and self._end(rooms_frames(self._asked.ref, self._rooms))

    def _listed(self, rooms: dict[str, RoomInfo]) -> None:
        self._rooms = rooms


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
