"""Uploads that nobody will finish are removed: those that were dropped, and those left alone for an hour.

Nobody can touch one while the database is away, so the hour begins anew when it is back.
"""

from __future__ import annotations

from collections.abc import Callable
from time import time
from typing import Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from server.journal import InThread
from storage.interface import IStorage, StorageDown

LEFT_ALONE: Final = 3600  # seconds
EVERY: Final = 60.0  # seconds


class Cleaning:
    """Looks every minute, first at the start. A little at a time is removed, between the batches of the journal."""

    _log = Logger()

    def __init__(self, storage: IStorage, in_writer: InThread, down: Callable[[], bool], clock: IReactorTime) -> None:
        self._storage = storage
        self._down = down  # the database is away
        self._in_writer = in_writer
        self._clock = clock
        self._there_since = float(-LEFT_ALONE)  # by the clock
        self._rounds = LoopingCall(lambda: Deferred.fromCoroutine(self._clean()))
        self._rounds.clock = clock

    def start(self) -> None:
        """Begin."""
        self._rounds.start(EVERY).addErrback(lambda failure: self._log.failure("cleaning up stopped", failure))

    def stop(self) -> None:
        """Leave what is left for the next start."""
        if self._rounds.running:
            self._rounds.stop()

    def storage_is_back(self) -> None:
        """The database was away: who had to wait for it has an hour from now."""
        self._there_since = self._clock.seconds()

    async def _clean(self) -> None:
        if self._down():
            return
        there_for = self._clock.seconds() - self._there_since
        forgotten = int((time() - LEFT_ALONE) * 1000) if there_for >= LEFT_ALONE else 0
        try:
            while await self._in_writer(self._storage.clean, forgotten):
                if not self._rounds.running:
                    return
        except StorageDown:
            return  # in the next round
        except Exception:
            self._log.failure("cleaning up")
