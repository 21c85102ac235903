"""When to draw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime

NEWS: Final = 1 / 20  # seconds between two drawings, at least, of what comes by itself
ECHO: Final = 1 / 60  # and of what a key did or asked for, which is waited for: fewer than 30 a second


class Frames:
    """Calls ``draw`` soon after something changed, and not for each of many changes."""

    def __init__(self, clock: IReactorTime, draw: Callable[[], None]) -> None:
        self._clock = clock
        self._draw = draw
        self._drawn = 0.0
        self._next: IDelayedCall | None = None

    def changed(self, gap: float = NEWS) -> None:
        """Draw when ``gap`` seconds have passed since the last drawing, at the latest."""
        now = self._clock.seconds()
        wait = min(max(0.0, self._drawn + gap - now), gap)
        if self._next is None:
            self._next = self._clock.callLater(wait, self._due)
        elif self._next.getTime() > now + wait:
            self._next.reset(wait)

    def stop(self) -> None:
        """Draw nothing any more, until something changes again."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _due(self) -> None:
        self._next = None
        self._drawn = self._clock.seconds()
        self._draw()
