"""When what a client says is taken: in its order, and no faster than it can be dealt with."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final, NamedTuple, Protocol

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from server.budget import PLACE, Budget

BEHIND: Final = 64 * 1024  # bytes that may come behind what is waited for: as much as one read brings


class Reading(Protocol):
    """Where frames come from."""

    def pauseProducing(self) -> None:
        """Read nothing more, and deliver nothing of what was read."""

    def resumeProducing(self) -> None:
        """Deliver what was read, and read on."""

    def caught_up(self) -> None:
        """All that was read is taken."""


class Behind(NamedTuple):
    """What comes behind that which is waited for: how to take it, how many bytes it takes, whether it need not wait."""

    take: Callable[[], None]
    size: int
    passes: Callable[[], bool]


class Intake:
    """Takes what comes from ``reading``.

    While something of it is waited for, what comes behind that stands in a queue. While there is a reason to hold the
    client up, nothing is taken. ``reading`` is told whenever, after either, all that was read is taken.
    """

    __slots__ = (
        "_behind", "_flows", "_going", "_holds", "_no_work", "_reading", "_shut", "_size", "_works",
    )  # fmt: skip
    _log = Logger()

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._works = 0  # how many things are waited for
        # Tuples, for of most clients they are empty: what is in them is few.
        self._behind: tuple[Behind, ...] = ()  # each takes a place, and all of them a read's bytes
        self._size = 0  # bytes of them all
        self._holds: tuple[str, ...] = ()
        self._shut = False
        self._flows = True  # more may come, so the client can be held up
        self._going = False
        self._no_work: tuple[Deferred[None], ...] = ()

    @property
    def busy(self) -> bool:
        """Whether what comes now has to wait."""
        return bool(self._works or self._behind)

    def put(self, take: Callable[[], None], size: int, passes: Callable[[], bool] = lambda: False) -> None:
        """Call ``take`` for a frame of ``size`` bytes when its turn has come: now, if nothing is before it.

        One that ``passes`` need not wait.
        """
        if not self.busy or passes():
            take()
            return
        size += PLACE
        self._size += size
        self._behind += (Behind(take, size, passes),)
        if not self._may_read:
            self._reading.pauseProducing()

    def let_pass(self) -> None:
        """Take, of what waits, that which need not wait any more."""
        waiting, self._behind = self._behind, ()
        for behind in waiting:
            if behind.passes():
                self._size -= behind.size
                behind.take()
            else:
                self._behind += (behind,)

    def wait_for(self, work: Coroutine[Any, Any, None]) -> None:
        """Let what comes wait until ``work`` is done."""
        self._works += 1
        done = Deferred.fromCoroutine(work)
        done.addErrback(lambda failure: self._log.failure("a client was not answered", failure))
        done.addCallback(self._done)
        done.addErrback(lambda failure: self._log.failure("what waited was not taken", failure))

    def hold(self, why: str) -> None:
        """Take nothing until every reason for that is gone."""
        if self._flows:
            if why not in self._holds:
                self._holds += (why,)
            self._reading.pauseProducing()

    def release(self, why: str) -> None:
        """One reason for taking nothing is gone."""
        if why in self._holds:
            self._holds = tuple(other for other in self._holds if other != why)
            self.go_on()

    def keep_within(self, budget: Budget, why: str) -> None:
        """Take nothing until the budget that the client feeds on has room."""
        if budget.full and self._flows:
            self.hold(why)
            budget.hold(partial(self.release, why))

    def shut(self) -> Deferred[None]:
        """Read nothing more; fires when nothing is waited for, so that only the client itself holds up the rest."""
        self._shut = True
        self.go_on()
        if not self._works:
            return succeed(None)
        no_work: Deferred[None] = Deferred()
        self._no_work += (no_work,)
        return no_work

    def lost(self) -> None:
        """Nothing more can come: what was read is taken without regard to any hold."""
        self._flows = False
        self._holds = ()
        self.go_on()

    def close(self) -> None:
        """Forget what waits, and hold up nobody."""
        self._flows = False
        self._holds = self._behind = ()
        self._size = 0

    def go_on(self) -> None:
        """Take what can be taken, and read on if there is no reason against it."""
        if self._going:  # called from below: that loop goes on
            return
        self._going = True
        try:
            while self._take_next() or self._read_on():
                pass
        finally:
            self._going = False
        if not self.busy and self._may_read:
            self._reading.caught_up()

    def _take_next(self) -> bool:
        if not self._behind or self._works or self._holds:
            return False
        behind, self._behind = self._behind[0], self._behind[1:]
        self._size -= behind.size
        behind.take()
        return True

    def _read_on(self) -> bool:
        """Read on or not; say whether there is something to take all the same."""
        if not self._may_read:
            self._reading.pauseProducing()
            return False
        self._reading.resumeProducing()
        return bool(self._behind and not self._works and not self._holds)

    @property
    def _may_read(self) -> bool:
        return not (self._flows and (self._shut or self._holds or self._size >= BEHIND))

    def _done(self, _: None) -> None:
        self._works -= 1
        self.go_on()
        if not self._works:
            no_work, self._no_work = self._no_work, ()
            for waiting in no_work:
                waiting.callback(None)
