"""Uploads on their way into the storage.

The wire's pieces are gathered into larger ones while a batch is being committed. They have a queue and a budget beside
those of the messages, and each batch takes only so much of them: uploads never hold up talk.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime

from server.budget import PLACE, Budget
from server.journal import Answer, Failed
from storage.interface import Entry, Outcome, Piece, Sender, UploadKey

WAITING: Final = 16 * 1024 * 1024  # bytes of all uploads that are not stored yet
ROW: Final = 256 * 1024  # bytes stored as one: what a batch takes, and what a reader holds of a content at a time
QUIET: Final = 4  # times as much, while nobody talks who would wait for it


class Feeder(Protocol):
    """Who an upload comes from."""

    def upload_settled(self) -> None:
        """Nothing of one waits any more."""

    def upload_broke(self, upload: Upload, outcome: Outcome | Failed) -> None:
        """A piece was not stored, nor can any be that follows; ``outcome`` says why. Told once."""


class Upload:
    """One upload, as a connection feeds it: it has ``size`` bytes, of which the last ``waiting`` are not stored yet."""

    def __init__(self, key: UploadKey, sender: Sender | None, size: int, feeder: Feeder) -> None:
        self.key = key
        self.sender = sender
        self.size = size
        self.waiting = 0
        self.broken = False
        self._feeder = feeder
        self._settling: deque[tuple[int, Deferred[None]]] = deque()  # with the size that is waited for
        self._growing: _Row | None = None  # the last one that waits

    @property
    def stored(self) -> int:
        """How many bytes of it are stored."""
        return self.size - self.waiting

    def settled(self) -> Deferred[None]:
        """Return a Deferred that fires when nothing waits of what it has now."""
        if not self.waiting:
            return succeed(None)
        settled: Deferred[None] = Deferred()
        self._settling.append((self.size, settled))
        return settled

    def gather(self, data: bytes) -> _Row | None:
        """Put ``data`` at the end; return the row that it begins, None where it fits into the one that waits."""
        begun = None
        if self._growing is None or self._growing.size + len(data) > ROW:
            begun = self._growing = _Row(self, self.size)
        self._growing.append(data)
        self.size += len(data)
        self.waiting += len(data)
        return begun

    def row_left(self, row: _Row) -> None:
        """``row`` waits no more: it is being stored."""
        if self._growing is row:
            self._growing = None

    def answered(self, size: int, outcome: Outcome | Failed) -> None:
        """``size`` bytes of what waited were stored, or not."""
        self.waiting -= size
        if outcome is not True and not self.broken:
            self.broken = True
            self._feeder.upload_broke(self, outcome)
        while self._settling and self._settling[0][0] <= self.stored:
            self._settling.popleft()[1].callback(None)
        if not self.waiting:
            self._feeder.upload_settled()


class _Row:
    """Pieces of one upload, to be stored as one from ``offset`` on."""

    __slots__ = ("_data", "_offset", "upload")

    def __init__(self, upload: Upload, offset: int) -> None:
        self.upload = upload
        self._offset = offset
        self._data = bytearray()

    @property
    def size(self) -> int:
        return len(self._data)

    @property
    def cost(self) -> int:
        return len(self._data) + PLACE

    def append(self, data: bytes) -> None:
        self._data += data

    def entry(self) -> Piece:
        return Piece(self.upload.sender, self.upload.key, self._offset, bytes(self._data))


class Uploads:
    """The pieces of all connections that wait; ``wake`` is called when there are some."""

    def __init__(self, clock: IReactorTime, wake: Callable[[], None]) -> None:
        self.budget = Budget(WAITING, clock)
        self._wake = wake
        self._rows: deque[_Row] = deque()

    def __bool__(self) -> bool:
        return bool(self._rows)

    def put(self, upload: Upload, data: bytes) -> None:
        """Store ``data`` at the end of ``upload``."""
        self.budget.take(len(data))
        row = upload.gather(data)
        if row is not None:
            self.budget.take(PLACE)
            self._rows.append(row)
        self._wake()

    def cut(self, *, quiet: bool) -> list[tuple[Entry, Answer]]:
        """Take what the next batch is to store: what waits longest, as much as a row has, or more in the ``quiet``."""
        left = (ROW + PLACE) * (QUIET if quiet else 1)
        taken: list[tuple[Entry, Answer]] = []
        while self._rows and (not taken or self._rows[0].cost <= left):
            row = self._rows.popleft()
            row.upload.row_left(row)
            left -= row.cost
            taken.append((row.entry(), partial(self._answered, row)))
        return taken

    def _answered(self, row: _Row, outcome: Outcome | Failed) -> None:
        self.budget.give_back(row.cost)
        row.upload.answered(row.size, outcome)
