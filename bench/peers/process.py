"""A server under measurement: a process on a port and in a folder of its own, and what it costs."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

from bench.load import Broken, Step
from tests.processes import memory

START = 20.0  # seconds until a server must listen


class Missing(Exception):
    """A program is not installed; the text says how to install it."""


class Served(ABC):
    """``with Redis() as redis: ...``: started, listening, and gone at the end.

    A subclass says how it is started and what its clients say; ``room`` is a channel, a subject or what it is called.
    """

    name: ClassVar[str]
    program: ClassVar[str]
    package: ClassVar[str] = ""  # Debian's, where it is not ours
    at_once: ClassVar[int] = 100  # clients that may be on their way in
    largest: ClassVar[int] = 60_000  # bytes of a message
    one_order: ClassVar[bool] = True  # all who are in a room get the same order, not only that of each sender
    most: ClassVar[int] = 100_000  # receivers in a room that it can be brought to

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bench-"))
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> Sequence[str]:
        """Return the command that starts it on ``self.port``; what it needs may be put into ``self.folder``."""

    @abstractmethod
    def entering(self, name: str, room: str = "lobby") -> Sequence[Step]:
        """Return what a client says to be in the room."""

    @abstractmethod
    def saying(self, number: int, body: bytes, room: str = "lobby") -> bytes:
        """Return what a client says to have ``body`` told in the room; ``number`` counts what it says, from 1 on."""

    def speaking(self, name: str, room: str = "lobby") -> Sequence[Step]:
        """Return what a client says before it may speak; it need not be in the room."""
        return self.entering(name, room)

    @classmethod
    def find(cls) -> str:
        """Return the program's path; raises :class:`Missing`."""
        path = shutil.which(cls.program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
        if path is None:
            raise Missing(f"{cls.name}: apt-get install --no-install-recommends {cls.package}")
        return path

    def __enter__(self) -> Self:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder
            )
        self._wait()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _wait(self) -> None:
        deadline = time.monotonic() + START
        while time.monotonic() < deadline and self._process is not None and self._process.poll() is None:
            try:
                socket.create_connection(self.address).close()
            except ConnectionRefusedError:
                time.sleep(0.02)
            else:
                return
        said = (self.folder / "log").read_text(errors="replace").strip()
        self.__exit__()
        raise Broken(f"{self.name} does not listen: {said}")

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return "127.0.0.1", self.port

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def cpu(self) -> float:
        """Return the seconds of processor time, its own and the kernel's for it, that all its threads have used."""
        return time.clock_gettime(~self.pid << 3 | 2)  # the number of a process's clock: clock_getcpuclockid(3)

    def memory(self) -> int:
        """Return the bytes that are resident now."""
        return memory(self.pid)

    def peak_memory(self) -> int:
        """Return the bytes that were resident at most."""
        return memory(self.pid, "VmHWM")
