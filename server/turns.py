"""Turns of the reactor: who has more to say than others should wait for goes on in the next one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

AT_ONCE: Final = 2  # pieces of 60 KiB: a fraction of a millisecond, then whoever talks is heard
REST: Final = 0.002  # seconds; without it the storage's threads, which want the interpreter too, would seldom get it

_log = Logger()


class Turns:
    """Who waits for a turn gets one, in the order of their coming, ``at_once`` in each turn of the reactor.

    Before each it rests for ``rest`` seconds.
    """

    def __init__(self, clock: IReactorTime, at_once: int = AT_ONCE, rest: float = 0.0) -> None:
        self._clock = clock
        self._at_once = at_once
        self._rest = rest
        self._waiting: deque[Callable[[], None]] = deque()
        self._going = False

    def wait(self, go: Callable[[], None]) -> None:
        """Call ``go`` when its turn has come."""
        self._waiting.append(go)
        self._go_on()

    def _go_on(self) -> None:
        if self._waiting and not self._going:
            self._going = True
            self._clock.callLater(self._rest, self._next)

    def _next(self) -> None:
        _call_all([self._waiting.popleft() for _ in range(min(self._at_once, len(self._waiting)))])
        self._going = False
        self._go_on()


class NextTurn:
    """All who want to go on in the next turn: called together, for a timer each would cost more than what they do."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._waiting: list[Callable[[], None]] = []

    def __call__(self, go: Callable[[], None]) -> None:
        """Call ``go`` in the next turn of the reactor."""
        if not self._waiting:
            self._clock.callLater(0, self._go)
        self._waiting.append(go)

    def _go(self) -> None:
        waiting, self._waiting = self._waiting, []
        _call_all(waiting)


def _call_all(waiting: list[Callable[[], None]]) -> None:
    for go in waiting:
        try:
            go()
        except Exception:  # one connection's fault must not stop the others
            _log.failure("a connection's turn failed")
