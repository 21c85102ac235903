"""An upload as its row knows it: how far it is, how it begins, and whether it is text so far. Knows of no database."""

from __future__ import annotations

from codecs import utf_8_decode
from dataclasses import dataclass
from secrets import randbits
from typing import Any

from storage.interface import UploadKey
from storage.schema import HEAD, UploadState


@dataclass(slots=True)
class Upload:
    """One row; ``key`` is the client's name for it, and free for another one unless its state is OPEN."""

    key: UploadKey
    id: int
    size: int = 0
    head: bytes = b""
    tail: bytes | None = b""
    state: UploadState = UploadState.OPEN

    @classmethod
    def begin(cls, key: UploadKey) -> Upload:
        """Return one that is empty."""
        return cls(key, randbits(63))

    @property
    def is_text(self) -> bool:
        """Whether the whole of it is UTF-8."""
        return self.tail == b""

    @property
    def beginning(self) -> str:
        """The first characters of a text: whole ones, at most :data:`HEAD` bytes of them."""
        return self.head.decode(errors="ignore")  # all that can be wrong with it is that a character was cut

    def append(self, data: bytes) -> None:
        """Note that ``data`` follows. Text is checked as it comes: nothing has to be read again when it is sent."""
        self.size += len(data)
        if len(self.head) < HEAD:
            self.head += data[: HEAD - len(self.head)]
        if self.tail is not None:
            self.tail = _unfinished(self.tail + data if self.tail else data)

    def row(self, now: int) -> dict[str, Any]:
        """Return what its row is to be, touched at ``now`` (milliseconds since 1970-01-01 UTC)."""
        return {
            "id": self.id,
            "user": self.key.user,
            "client": self.key.client,
            "number": self.key.number if self.state is UploadState.OPEN else None,
            "size": self.size,
            "head": self.head,
            "tail": self.tail,
            "state": int(self.state),  # drivers know no enumerations
            "touched_at": now,
        }


def _unfinished(data: bytes) -> bytes | None:
    """Return the bytes at the end of ``data`` that only begin a character; None where it is no UTF-8."""
    try:
        _, consumed = utf_8_decode(data, "strict", False)
    except UnicodeDecodeError:
        return None
    return data[consumed:]
