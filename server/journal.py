"""The journal: what has to be stored, gathered while the batch before is being committed.

One batch is one transaction, so the cost of a commit is shared by all who wait. A batch starts at the end of the
reactor's turn, without a timer. Each client stands in a line of its own there, so that who says little need not wait
for who says much.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple, Protocol

from msgspec import Struct
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from server.budget import Budget
from server.lines import Lines
from server.log import SEGMENT
from server.people import People
from storage.interface import (
    Batch,
    Entry,
    IStorage,
    Message,
    Outcome,
    Refuse,
    Send,
    SendContent,
    StorageDown,
    Taken,
)

FULL: Final = 2 * 1024 * 1024  # bytes that wait; who feeds more is held until there is room
ENTRY: Final = 200  # bytes that an entry, or a message of it, takes besides its text, about
HEADER: Final = 100  # bytes that a message takes on the wire besides its text, about
BATCH: Final = 4 * SEGMENT  # bytes on the wire, or what takes as long: tens of milliseconds, for which the next wait
SHORT: Final = 16 * 1024  # of the same, of all others, while people talk: some milliseconds
WORK: Final = 1_000  # bytes of messages that take as long as another entry, like a login
STRETCH: Final = 8 * 1024  # of the same, that one entry may grow to: what a room's part of a batch may be too much
FOLDING: Final = 8  # bytes that take as long as one of a text that has to be folded
QUIET: Final = 1.0  # seconds in which nobody had anything to store but bulk: most likely nobody waits for this batch
PAUSES: Final = (0.05, 0.2, 0.5, 1.0, 2.0, 5.0)  # seconds between attempts while the database is away; the last repeats


class Failed(Exception):
    """The database will not have this entry, however often it is tried; ``seq`` is the number of a message."""

    def __init__(self, seq: int = 0) -> None:
        super().__init__(seq)
        self.seq = seq


Answer = Callable[[Outcome | Failed], None]
InThread = Callable[..., "Deferred[Any]"]
Encoded = dict[int, tuple[int, list[bytes]]]  # messages of each room by its key, with the first one's id


class Waiting(Struct, gc=False):
    """What waits to be stored, and who is answered; ``size`` is what it takes of the budget, ``work`` of a batch."""

    entry: Entry
    answer: Answer
    size: int
    work: int
    little: bool  # of somebody who says little


class Part(NamedTuple):
    """What one transaction stores, with what it takes of the budget; and whether that is not only of little talkers."""

    pairs: list[tuple[Entry, Answer]]
    size: int
    of_others: bool


class Bulk(Protocol):
    """Another queue: of what is large, so that each batch takes only some of it."""

    def __bool__(self) -> bool:
        """Whether something waits."""

    def cut(self, *, quiet: bool) -> list[tuple[Entry, Answer]]:
        """Take what the next batch is to store of it; something waits. Where it is ``quiet`` it may take longer."""


class Published(Protocol):
    """Who is told of a batch that is stored."""

    def __call__(self, messages: Encoded) -> None:
        """Show them."""


class Journal:
    """Group commit: entries in, outcomes out, each in order.

    ``in_thread(function, *args)`` runs in the storage's one writing thread; ``encode(send, stored)`` turns the messages
    that were stored into bytes, there, or into nothing where nobody is there to see them. What is in ``bulk`` is stored
    behind what was put before the same batch.
    """

    _log = Logger()

    def __init__(
        self,
        storage: IStorage,
        in_thread: InThread,
        clock: IReactorTime,
        people: People,
        encode: Callable[[Send | SendContent, Taken | Message], list[bytes]],
        published: Published,
        down_changed: Callable[[bool], None],
    ) -> None:
        self.commit = storage.commit  # called in the storage thread; who measures it wraps it
        self._in_thread = in_thread
        self._clock = clock
        self._people = people
        self._encode = encode
        self._published = published
        self._down_changed = down_changed
        self._waiting: Lines[Waiting] = Lines()
        self._bulk: Bulk | None = None
        self.budget = Budget(FULL, clock)
        self._untold: list[tuple[Iterable[Answer], Sequence[Outcome | Failed], Encoded]] = []  # of what is stored
        self._put_at = -QUIET
        self._others_from = 0.0  # the time at which the rest of those ends who do not say little
        self._again: IDelayedCall | None = None
        self._number = 0
        self._working = False
        self._idle: list[Deferred[None]] = []
        self.down = False  # the database is away; whatever has to be stored waits

    @property
    def busy(self) -> bool:
        """Whether something is being stored, or about to be."""
        return self._working or self._has_more

    def add_bulk(self, bulk: Bulk) -> None:
        """Store what is in ``bulk`` too; who puts something into it calls :meth:`wake`."""
        self._bulk = bulk

    def put(self, entry: Entry, answer: Answer, line: object = None, *, little: bool = False) -> None:
        """Store ``entry`` after all that was put before it into the same line, and call ``answer`` with its outcome.

        A :class:`Send` may be stored in parts: there is an answer for each. One of who says ``little`` goes before the
        others; and these are stored in short batches while people talk, with a rest behind each that is as long as that
        took.
        """
        waiting = Waiting(entry, answer, ENTRY, WORK, little)
        if type(entry) is Send:
            waiting.size, waiting.work = _weight(entry.texts[0], entry.folded)
        self._waiting.put(line, waiting, first=little)
        self.budget.take(waiting.size)
        self.wake()

    def add(self, text: str, seq: int, room: int, at: int, line: object) -> bool:
        """Store ``text`` with what was put last into its line, if it goes on with that and that waits; say so.

        It does where it is the next of the same sender, in the same room and at the same time: what costs something for
        each entry is shared by what somebody says at a stretch.
        """
        last = self._waiting.last(line)
        if last is None or type(said := last.entry) is not Send or said.folded is not None or last.work >= STRETCH:
            return False
        if said.seq + len(said.texts) != seq or said.room != room or said.at != at:
            return False
        said.texts.append(text)
        size, work = _weight(text)
        last.size += size
        last.work += work
        self.budget.take(size)
        return True

    def wake(self) -> None:
        """There is something to store: begin at the end of the reactor's turn, if nothing is being stored."""
        if not self._working:
            self._working = True
            self._clock.callLater(0, self._begin)

    def ask(self, entry: Entry, line: object = None) -> Deferred[Any]:
        """Put ``entry`` and return its outcome; errback :class:`Failed`."""
        outcome: Deferred[Any] = Deferred()
        self.put(entry, lambda it: outcome.errback(it) if isinstance(it, Failed) else outcome.callback(it), line)
        return outcome

    def idle(self) -> Deferred[None]:
        """Return a Deferred that fires when all that was put is stored and answered."""
        done: Deferred[None] = Deferred()
        if self.busy:
            self._idle.append(done)
        else:
            done.callback(None)
        return done

    def _begin(self) -> None:
        work = Deferred.fromCoroutine(self._work())
        work.addErrback(lambda failure: self._log.failure("the journal stopped", failure))

    async def _work(self) -> None:
        """Store batch after batch; while one is being stored, the one before is told of and the next one gathers."""
        while self._has_next:
            began = self._clock.seconds()
            part = self._cut()
            storing = Deferred.fromCoroutine(self._store(part.pairs))
            self._tell()
            self.budget.give_back(part.size)
            await storing
            if part.of_others and self._people.talk:
                now = self._clock.seconds()
                self._others_from = now + (now - began)
            if not self._has_next:
                self._tell()
        self._working = False
        if self._has_more:
            self._come_again()
            return
        idle, self._idle = self._idle, []
        for done in idle:
            done.callback(None)

    @property
    def _has_next(self) -> bool:
        """Whether something waits whose turn it is."""
        return self._waiting.has_first or (self._has_more and self._most_of_others > 0)

    @property
    def _has_more(self) -> bool:
        return bool(self._waiting or self._bulk)

    @property
    def _most_of_others(self) -> int:
        """How much of a batch those may have who do not say little."""
        if self._clock.seconds() < self._others_from:
            return 0
        return SHORT if self._people.talk else BATCH

    def _come_again(self) -> None:
        """Store the others after their rest."""
        if self._again is None or not self._again.active():
            self._again = self._clock.callLater(max(0.0, self._others_from - self._clock.seconds()), self.wake)

    def _cut(self) -> Part:
        """Take what waits, about as much as one transaction should carry.

        Of a room that is no more than one write takes: who keeps up gets every batch at once, and nothing is stored
        faster than it is given out, which would soon have to be read again for everybody.
        """
        taken: list[tuple[Entry, Answer]] = []
        size = work = others = 0
        said: Counter[int] = Counter()  # of the work, in each room
        now = self._clock.seconds()
        most = self._most_of_others
        while work < BATCH and (self._waiting.has_first or (self._waiting and others < most)):
            next = self._waiting.take()
            entry = next.entry
            taken.append((entry, next.answer))
            size += next.size
            work += next.work
            if next.little:
                self._people.talked()
            else:
                others += next.work
            if isinstance(entry, Send):
                said[entry.room] += next.work
                if said[entry.room] >= SEGMENT - STRETCH:
                    break
        if taken:
            self._put_at = now
        bulk = self._bulk.cut(quiet=now - self._put_at > QUIET) if self._bulk and most else []
        return Part(taken + bulk, size, bool(others or bulk))

    async def _store(self, pairs: Sequence[tuple[Entry, Answer]]) -> None:
        self._number += 1
        batch = Batch([entry for entry, _ in pairs], self._number)
        tries = 0
        while True:
            try:
                outcomes, messages = await self._in_thread(self._commit, batch)
            except StorageDown as reason:
                await self._pause(tries, reason)
                tries += 1
            except Exception:
                await self._separate(pairs)
                return
            else:
                break
        if self.down:
            self._turn(down=False)
        self._untold.append(((answer for _, answer in pairs), outcomes, messages))

    def _tell(self) -> None:
        """Answer those whose entries are stored, and show the messages."""
        untold, self._untold = self._untold, []
        for answers, outcomes, messages in untold:
            for answer, outcome in zip(answers, outcomes, strict=True):
                try:
                    answer(outcome)
                except Exception:  # one connection's fault must not stop the journal for all
                    self._log.failure("an answer failed")
            self._published(messages)

    def _commit(self, batch: Batch) -> tuple[list[Outcome], Encoded]:
        """In the storage thread: commit, then encode each message once for all who will see it."""
        outcomes = self.commit(batch)
        messages: Encoded = {}
        for entry, outcome in zip(batch.entries, outcomes, strict=True):
            if isinstance(entry, Send | SendContent) and isinstance(outcome, Taken | Message):
                data = self._encode(entry, outcome)
                if data:
                    id = outcome.id if isinstance(outcome, Message) else outcome.ids[0]
                    messages.setdefault(entry.room, (id, []))[1].extend(data)
        return outcomes, messages

    async def _pause(self, tries: int, reason: StorageDown) -> None:
        # What passes at once (a deadlock, a lock) is nobody's business: only a second failure is told.
        if tries == 1 and not self.down:
            self._log.warn("the database does not answer, trying again: {reason}", reason=str(reason))
            self._turn(down=True)
        await deferLater(self._clock, PAUSES[min(tries, len(PAUSES) - 1)])

    def _turn(self, *, down: bool) -> None:
        self.down = down
        if not down:
            self._log.info("the database answers again")
        self._down_changed(down)

    async def _separate(self, pairs: Sequence[tuple[Entry, Answer]]) -> None:
        """Store the two halves on their own, down to the one entry that the database will not have."""
        if len(pairs) > 1:
            middle = len(pairs) // 2
            await self._store(pairs[:middle])
            await self._store(pairs[middle:])
            return
        entry, answer = pairs[0]
        if isinstance(entry, Send) and len(entry.texts) > 1:
            await self._separate([(part, answer) for part in _singly(entry)])
            return
        self._log.failure("the database will not have {kind}", kind=type(entry).__name__)
        if isinstance(entry, Send | SendContent):  # it counts as received all the same
            await self._store([(Refuse(entry.sender, entry.seq), lambda _: answer(Failed(entry.seq)))])
        else:
            self._untold.append(([answer], [Failed()], {}))


def _singly(send: Send) -> Iterator[Send]:
    for seq, text in enumerate(send.texts, send.seq):
        yield Send(send.sender, seq, send.room, send.by, send.at, [text], send.talk)


def _weight(text: str, folded: str | None = None) -> tuple[int, int]:
    """Return what a message takes of the budget, and of a batch."""
    if folded is not None:
        size = len(text) + len(folded)
        return ENTRY + size, HEADER + size
    return ENTRY + len(text), HEADER + len(text) * (1 if text.isascii() else FOLDING)
