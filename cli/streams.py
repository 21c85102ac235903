"""A standard stream for a thread that may wait in it as long as it likes, and still lets go when it is told to."""

from __future__ import annotations

import os
import select
from typing import Final

AT_ONCE: Final = select.PIPE_BUF  # bytes that a pipe which takes any takes without waiting


class LetGo(OSError):
    """The stream was let go of while a thread was using it."""


class Stream:
    """The open file ``descriptor``, read or written in a thread until :meth:`let_go`.

    A thread that waited in ``os.read`` for a terminal or a slow pipe would keep the whole program from ending.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._told, self._tell = os.pipe()

    def let_go(self) -> None:
        """Have whoever reads or writes, now or later, stop with :class:`LetGo`."""
        os.write(self._tell, b"\n")

    def read(self, size: int) -> bytes:
        """Return at most ``size`` bytes as soon as there are any, none at the end; raises OSError."""
        while True:
            self._wait([self._descriptor], [])
            try:
                return os.read(self._descriptor, size)
            except BlockingIOError:  # somebody else was quicker
                continue

    def write(self, data: bytes) -> None:
        """Write all of ``data``; raises OSError."""
        left = memoryview(data)
        while left:
            self._wait([], [self._descriptor])
            try:
                left = left[os.write(self._descriptor, left[:AT_ONCE]) :]
            except BlockingIOError:
                continue

    @property
    def abandoned(self) -> bool:
        """Whether nobody will ever read what is written."""
        poll = select.poll()
        poll.register(self._descriptor, 0)
        return any(event & select.POLLERR for _, event in poll.poll(0))

    def _wait(self, readable: list[int], writable: list[int]) -> None:
        told, _, _ = select.select([self._told, *readable], writable, [])
        if self._told in told:
            raise LetGo("let go of")
