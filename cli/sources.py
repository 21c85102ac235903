"""Where the content of an upload comes from. Each is read a chunk at a time, from any offset it still has."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from twisted.internet.defer import Deferred, fail, succeed
from twisted.python.failure import Failure

from cli.attempts import InThread
from cli.refusals import SendRefused
from wire.frames import MAX_BODY

CHUNK: Final = 16 * MAX_BODY  # bytes that are read at once, a little less than 1 MiB: full frames


class Source(Protocol):
    """Content of an upload; ``size`` is in bytes, None until it is known."""

    size: int | None

    @property
    def reach(self) -> int:
        """How many bytes of it there are for sure."""

    def read(self, offset: int) -> Deferred[bytes]:
        """Return some bytes from ``offset`` on, at most a chunk, b"" at the end; errback :class:`SendRefused`."""

    def forget(self, offset: int) -> None:
        """What is before ``offset`` is stored and most likely not needed any more."""


class Memory:
    """Content that is here."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.size: int | None = len(content)
        self.reach = len(content)

    def read(self, offset: int) -> Deferred[bytes]:
        """See :class:`Source`."""
        return succeed(self._content[offset : offset + CHUNK])

    def forget(self, offset: int) -> None:
        """See :class:`Source`."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """A file as it is: its size in bytes, and when it was changed, in nanoseconds since 1970-01-01 UTC."""

    size: int
    changed: int


def look(path: str) -> Stamp:
    """Return how the file at ``path`` is; raises :class:`SendRefused`. Blocks."""
    file = _open(path)
    try:
        return _stamp(file, path)
    finally:
        os.close(file)


class Disk:
    """The file at ``path``, as long as it is as ``stamp`` says. It is open only while it is read."""

    def __init__(self, path: str, stamp: Stamp, in_thread: InThread) -> None:
        self.size: int | None = stamp.size
        self.reach = stamp.size
        self._path = path
        self._stamp = stamp
        self._in_thread = in_thread

    def is_of(self, path: str, stamp: Stamp) -> bool:
        """Whether it is the file at ``path``, as it is now."""
        return self._path == path and self._stamp == stamp

    def read(self, offset: int) -> Deferred[bytes]:
        """See :class:`Source`."""
        return self._in_thread(self._read, offset)

    def forget(self, offset: int) -> None:
        """See :class:`Source`."""

    def _read(self, offset: int) -> bytes:
        file = _open(self._path)
        try:
            data = os.pread(file, CHUNK, offset)
            if _stamp(file, self._path) != self._stamp:
                raise SendRefused("unreadable", f"{self._path} was changed while it was sent")
        except OSError as wrong:
            raise _unreadable(self._path, wrong) from None
        finally:
            os.close(file)
        return data


class Stream:
    """What ``read`` gives until its end. What is not known to be stored is held, to be sent once more if need be."""

    def __init__(self, read: Callable[[int], bytes], in_thread: InThread) -> None:
        self.size: int | None = None
        self._read = read
        self._in_thread = in_thread
        self._held = bytearray()
        self._start = 0  # the offset of its first byte
        self._reading = False
        self._waiting: Deferred[bytes] | None = None
        self._wanted = 0

    def read(self, offset: int) -> Deferred[bytes]:
        """See :class:`Source`."""
        if offset < self._start:
            return fail(SendRefused("unreadable", "the server lost the beginning, which cannot be read again"))
        if offset < self.reach or self.size is not None:
            return succeed(self._slice(offset))
        self._wanted = offset
        waiting: Deferred[bytes] = Deferred(lambda _: setattr(self, "_waiting", None))
        self._waiting = waiting
        if not self._reading:
            self._reading = True
            self._in_thread(self._read, CHUNK).addBoth(self._has_read)
        return waiting

    def forget(self, offset: int) -> None:
        """See :class:`Source`."""
        if offset > self._start:
            del self._held[: offset - self._start]
            self._start = offset

    @property
    def reach(self) -> int:
        """See :class:`Source`."""
        return self._start + len(self._held)

    def _slice(self, offset: int) -> bytes:
        start = offset - self._start
        return bytes(memoryview(self._held)[start : start + CHUNK])

    def _has_read(self, result: bytes | Failure) -> None:
        # Whoever waited may have been cancelled meanwhile: what was read is held for whoever asks next.
        self._reading = False
        waiting, self._waiting = self._waiting, None
        if isinstance(result, Failure):
            if waiting is not None:
                waiting.errback(_unreadable("the input", result.value))
            return
        if not result:
            self.size = self.reach
        self._held += result
        if waiting is not None:
            waiting.callback(self._slice(self._wanted))


def _open(path: str) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a named pipe's other end is not waited for
    except (OSError, ValueError) as wrong:
        raise _unreadable(path, wrong) from None


def _stamp(file: int, path: str) -> Stamp:
    status = os.fstat(file)
    if not stat.S_ISREG(status.st_mode):
        raise SendRefused("unreadable", f"{path} is no file")
    return Stamp(status.st_size, status.st_mtime_ns)


def _unreadable(path: str, wrong: BaseException | None) -> SendRefused:
    return SendRefused("unreadable", f"cannot read {path}: {getattr(wrong, 'strerror', None) or wrong}")
