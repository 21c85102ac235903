"""Long texts, folded before they are stored: a moment of work, then a rest in which everybody else is heard."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from twisted.internet.defer import DeferredSemaphore
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Cooperator

from server.turns import REST
from wire.names import folding

LONG: Final = 1_000  # characters; fewer take a millisecond or two at the most, and are folded where they are stored
AT_ONCE: Final = 8  # texts; what one of a frame becomes may take a megabyte, and shorter ones pass it
WORK: Final = 0.000_5  # seconds


class Folding:
    """All texts that are being folded; they take turns."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._turns = Cooperator(self._until, partial(clock.callLater, REST))
        self._places = DeferredSemaphore(AT_ONCE)

    async def fold(self, text: str) -> str:
        """Return what is searched of ``text``."""
        pieces: list[str] = []
        await self._places.run(self._turns.coiterate, map(pieces.append, folding(text)))
        return "".join(pieces)

    def _until(self) -> Callable[[], bool]:
        end = self._clock.seconds() + WORK
        return lambda: self._clock.seconds() >= end


def is_long(text: str) -> bool:
    """Whether it may take long to fold ``text``."""
    return len(text) > LONG and not text.isascii()
