"""How fast one client may talk, where an operator sets that: who is faster is read no more for a while."""

from __future__ import annotations

from functools import partial
from typing import Final

from twisted.internet.interfaces import IReactorTime

from server.intake import Intake

AT_ONCE: Final = 1.0  # seconds of its rate that a client may use at once


class Pace:
    """So much ``a_second``, of whatever is :meth:`spent`."""

    __slots__ = ("_clock", "_intake", "_paid_until", "_second", "_why")

    def __init__(self, a_second: float, intake: Intake, why: str, clock: IReactorTime) -> None:
        self._second = a_second
        self._intake = intake
        self._why = why
        self._clock = clock
        self._paid_until = 0.0

    def spent(self, amount: int) -> None:
        """So much more came."""
        now = self._clock.seconds()
        self._paid_until = max(now, self._paid_until) + amount / self._second
        wait = self._paid_until - now - AT_ONCE
        if wait > 0:
            self._intake.hold(self._why)
            self._clock.callLater(wait, partial(self._intake.release, self._why))
