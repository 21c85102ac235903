"""What an operator allows to be stored: the size of one message, and of all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from server.refusals import Refused
from storage.interface import StorageDown

MEASURE_EVERY: Final = 5.0  # seconds; what comes in between is counted


class Limits:
    """``max_message`` and ``max_storage`` in bytes, None for none. ``size()`` measures the database."""

    _log = Logger()

    def __init__(
        self,
        max_message: int | None,
        max_storage: int | None,
        size: Callable[[], Deferred[int]],
        clock: IReactorTime,
    ) -> None:
        self._max_message = max_message
        self._max_storage = max_storage
        self._size = size
        self._left = max_storage  # bytes, None without a limit
        self._measuring = LoopingCall(self._measure)
        self._measuring.clock = clock

    def start(self) -> None:
        """Begin to measure, where there is a limit."""
        if self._max_storage is not None:
            self._measuring.start(MEASURE_EVERY).addErrback(
                lambda failure: self._log.failure("measuring the database stopped", failure)
            )

    def stop(self) -> None:
        """Measure no more."""
        if self._measuring.running:
            self._measuring.stop()

    def check_message(self, size: int) -> None:
        """Raise :class:`Refused` for a message of ``size`` bytes that is too large."""
        if self._max_message is not None and size > self._max_message:
            raise Refused("too_large", f"on this server a message has at most {self._max_message} bytes")

    def take(self, size: int) -> None:
        """Let ``size`` more bytes be stored; raises :class:`Refused` where there is no room for them."""
        if self._left is None:
            return
        if self._left < size:
            raise Refused("too_large", "the storage of this server is full; its operator has to make room")
        self._left -= size

    def _measure(self) -> Deferred[None]:
        return self._size().addCallbacks(self._measured, self._not_measured)

    def _measured(self, size: int) -> None:
        assert self._max_storage is not None
        was_full = self._left is not None and self._left <= 0
        self._left = max(0, self._max_storage - size)
        if not self._left and not was_full:
            self._log.warn(
                "the storage is full: {size} bytes of --max-storage {limit}", size=size, limit=self._max_storage
            )

    def _not_measured(self, failure: Failure) -> None:
        if not failure.check(StorageDown):
            self._log.failure("measuring the database", failure)
