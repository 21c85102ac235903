"""Work that takes long: calls that block, and coroutines that somebody else may end."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from threading import Thread
from typing import Any, Generic, Protocol, TypeVar

from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.python.failure import Failure

T = TypeVar("T")


class InThread(Protocol):
    """Makes a call that blocks and fires with what it returns or raises."""

    def __call__(self, call: Callable[..., T], *arguments: Any) -> Deferred[T]:
        """Make the call."""


def at_once(call: Callable[..., T], *arguments: Any) -> Deferred[T]:
    """Make a call here and now: for where there is no reactor."""
    return maybeDeferred(call, *arguments)


class Threads:
    """An :class:`InThread` that gives each call a thread of its own.

    The reactor's pool holds up the end of the program until every call returns, and a read of standard input may never
    do so. A thread costs less than what is done in it: reading or writing up to a MiB.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor

    def __call__(self, call: Callable[..., T], *arguments: Any) -> Deferred[T]:
        """Make the call; cancelling it only means that nobody waits for it."""
        result: Deferred[T] = Deferred()

        def make() -> None:
            outcome: T | Failure
            try:
                outcome = call(*arguments)
            except BaseException:
                outcome = Failure()
            self._reactor.callFromThread(result.callback, outcome)

        Thread(target=make, daemon=True).start()
        return result


class Attempt(Generic[T]):
    """A coroutine that can be ended with a reason."""

    def __init__(self) -> None:
        self._running: Deferred[T] | None = None
        self._why: Exception | None = None

    async def run(self, work: Coroutine[Deferred[Any], Any, T]) -> T:
        """Return what comes of ``work``; raises what :meth:`end` was given."""
        self._running = Deferred.fromCoroutine(work)
        try:
            return await self._running
        except CancelledError:
            if self._why is not None:
                raise self._why from None
            raise

    def end(self, why: Exception) -> None:
        """End it wherever it stands; the first reason counts."""
        if self._why is None and self._running is not None:
            self._why = why
            self._running.cancel()
