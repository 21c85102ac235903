"""What an operator allows: how large one message may be, and all of them; what one client may do at once, how fast."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from server.intake import Intake
from server.pace import Pace
from server.refusals import Refused
from storage.interface import StorageDown
from wire.frames import MAX_ROOMS

MEASURE_EVERY: Final = 5.0  # seconds; what comes in between is counted


class Paces(NamedTuple):
    """How fast a client may talk; None for as fast as it likes."""

    messages: Pace | None
    bytes: Pace | None


UNBOUND: Final = Paces(None, None)


class Allowed(NamedTuple):
    """What an operator allows, by the names of the flags: sizes in bytes, None for any."""

    max_message: int | None = None
    max_storage: int | None = None
    max_rooms: int = MAX_ROOMS  # of one client at once
    max_uploads: int = 100  # likewise, unfinished
    message_rate: float | None = None  # of one client, a second
    byte_rate: int | None = None
    max_per_address: int = 1_000
    logins_per_minute: int = 600


class Limits:
    """Holds clients to what is ``allowed``. ``size()`` measures the database."""

    _log = Logger()

    def __init__(self, allowed: Allowed, size: Callable[[], Deferred[int]], clock: IReactorTime) -> None:
        self.max_rooms = allowed.max_rooms
        self.max_uploads = allowed.max_uploads
        self._message_rate = allowed.message_rate
        self._byte_rate = allowed.byte_rate
        self._max_message = allowed.max_message
        self._max_storage = allowed.max_storage
        self._clock = clock
        self._size = size
        self._left = allowed.max_storage  # bytes, None without a limit
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

    def paces(self, intake: Intake) -> Paces:
        """Return how fast the client of ``intake`` may talk."""
        if self._message_rate is None and self._byte_rate is None:
            return UNBOUND
        rates = (self._message_rate, "messages"), (self._byte_rate, "bytes")
        return Paces(*(None if rate is None else Pace(rate, intake, why, self._clock) for rate, why in rates))

    def check_message(self, size: int) -> None:
        """Raise :class:`Refused` for a message of ``size`` bytes that is too large."""
        if self._max_message is not None and size > self._max_message:
            raise Refused("too_large", f"on this server a message has at most {self._max_message} bytes")

    def take_message(self, size: int) -> None:
        """Let a message of ``size`` bytes be stored; raises :class:`Refused` where it may not."""
        self.check_message(size)
        self.take(size)

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
