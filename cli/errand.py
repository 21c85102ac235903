"""What ``chat send``, ``chat tail`` and ``chat save`` have in common: log in, do one thing, leave."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from tqdm import tqdm
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from cli.client import Client
from cli.refusals import ClientClosed
from cli.status import State, Status
from cli.visit import Connect, Visitor, visit
from wire.text import safe_line

PATIENCE: Final = 60  # seconds without a server, in the middle, until we give up: one that is restarted is back sooner

T = TypeVar("T")


class GaveUp(Exception):
    """There has been no connection for too long; the text says why."""


class Errand(Visitor):
    """One thing that is done with a client, told of its connection.

    One that ``stays`` waits for a server that is gone as long as it takes; of another one ``again`` tells what to do
    once it gave up.
    """

    def __init__(self, clock: IReactorTime, stays: bool = False, again: str = "") -> None:
        self.last_ids: dict[str, int] = {}  # of the rooms, when they were opened first
        self._clock = clock
        self._stays = stays
        self._again = again
        self._state = State.CONNECTING
        self._patience: IDelayedCall | None = None
        self._waiting: Deferred[Any] = Deferred()
        self._changed: Deferred[None] = Deferred()  # fires at the next change of the status

    async def wait(self, result: Deferred[T]) -> T:
        """Return ``result``, and leave it alone where the waiting is cancelled; raises :class:`GaveUp`."""
        waiting: Deferred[T] = Deferred()
        self._waiting = waiting

        def arrived(value: T | Failure) -> None:
            if not waiting.called:
                waiting.callback(value)

        result.addBoth(arrived)
        return await waiting

    async def until(self, client: Client, true: Callable[[Status], bool]) -> None:
        """Return when it is ``true`` of the client's status; raises :class:`GaveUp`."""
        while not true(client.check_status()):
            self._changed = Deferred()
            await self.wait(self._changed)

    def end(self, why: Exception) -> None:
        """Raise ``why`` where something is waited for."""
        if not self._waiting.called:
            self._waiting.errback(Failure(why))

    def stop(self) -> None:
        """Wait for no server any more."""
        if self._patience is not None and self._patience.active():
            self._patience.cancel()
        self._patience = None

    # What the client tells.

    def status_changed(self, status: Status) -> None:
        """Tell of a lost connection, and lose patience where it does not come back."""
        before, self._state = self._state, status.state
        self.reason = status.reason or self.reason
        if status.state in (State.LIVE, State.BEHIND):
            self.stop()
        elif status.state is State.LOST and before in (State.LIVE, State.BEHIND):
            complain(f"the connection is lost, trying again: {status.reason}")
            if not self._stays:
                self._patience = self._clock.callLater(PATIENCE, self._give_up)
        if not self._changed.called:
            self._changed.callback(None)

    def notice(self, code: str, text: str) -> None:
        """Pass on what the server says to everybody."""
        complain(text or code)

    def resent(self, room: str, what: str) -> None:
        """Tell what goes on."""
        complain(f"sending what an earlier run left for {room}: {what}")

    def room_opened(self, room: str, first_id: int, last_id: int) -> None:  # noqa: ARG002
        """Remember where a room stood."""
        self.last_ids.setdefault(room, last_id)

    def _give_up(self) -> None:
        self.end(GaveUp(f"no connection for {PATIENCE} seconds: {self.reason}{self._again}"))


async def run(
    reactor: Any, connect: Connect, server: str, errand: Errand, work: Callable[[Client], Awaitable[bool]]
) -> int:
    """Do ``work`` with a client that ``connect`` makes, and return the exit status; cancelling it leaves the server.

    ``work`` returns whether all went well; what did not, it has told already.
    """

    async def carry_out(client: Client) -> int:
        try:
            return int(not await work(client))
        except (ClientClosed, GaveUp) as why:
            complain(str(why) or "the connection was closed")
            return 1
        finally:
            errand.stop()
            await client.close()

    return await visit(reactor, connect, server, errand, carry_out, complain)


class Bar:
    """How far something has got, on standard error where that is a terminal; it is a ``Progress``."""

    def __init__(self, what: str) -> None:
        self.done = 0  # bytes
        self._what = safe_line(what)
        self._bar: Any = None

    def __call__(self, done: int, size: int | None) -> None:
        """``done`` bytes of ``size`` are through."""
        self.done = done
        if self._bar is None:  # what was done by an earlier try says nothing of the speed
            self._bar = tqdm(
                desc=self._what, initial=done, unit="B", unit_scale=True, leave=False, disable=None, file=sys.stderr
            )
        self._bar.total = size
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Take it off the screen."""
        if self._bar is not None:
            self._bar.close()


def complain(line: str) -> None:
    """Write a line for the person to standard error, over a bar that may be there."""
    tqdm.write(f"chat: {safe_line(line)}", file=sys.stderr)
