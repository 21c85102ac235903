"""When to draw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime

NEWS: Final = 1 / 20  # seconds, at least, between any drawing and one of what comes by itself
ECHO: Final = 1 / 60  # and between two of what keys did or asked for: one that is pressed alone is seen at once


class Frames:
    """Calls ``draw`` soon after something changed, and not for each of many changes."""

    def __init__(self, clock: IReactorTime, draw: Callable[[], None]) -> None:
        self._clock = clock
        self._draw = draw
        self._drawn = 0.0  # when
        self._echoed = 0.0  # and when because of a key
        self._echoes = False  # whether the next one is
        self._next: IDelayedCall | None = None

    def changed(self, gap: float = NEWS) -> None:
        """Draw when ``gap`` seconds have passed since the last drawing, or the last of an ``ECHO``, at the latest."""
        now = self._clock.seconds()
        echoes = gap == ECHO
        self._echoes = self._echoes or echoes
        wait = min(max(0.0, (self._echoed if echoes else self._drawn) + gap - now), gap)
        if self._next is None:
            self._next = self._clock.callLater(wait, self._due)
        elif self._next.getTime() > now + wait:
            self._next.reset(wait)

    def stop(self) -> None:
        """Draw nothing any more, until something changes again."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
            self._echoes = False

    def _due(self) -> None:
        self._next = None
        self._drawn = self._clock.seconds()
        if self._echoes:
            self._echoes, self._echoed = False, self._drawn
        self._draw()
