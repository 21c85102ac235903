"""A terminal for tests: a program in a pty, and what it has drawn."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any

import pyte

from tests.processes import environment

PATIENCE = 20  # seconds until what a test waits for must have come

_LOST = re.compile("[\u200b\u200d\u202e\ufe0f]")  # pyte drops the rest of a text behind one of these


class Screen(pyte.Screen):
    """pyte's, which draws all of a text."""

    def draw(self, data: str) -> None:
        super().draw(_LOST.sub("", data))


class Terminal:
    """``with Terminal(["python", "cmd/cli", "ann"]) as terminal: ...`` runs the program in a terminal of that size."""

    def __init__(
        self, command: Sequence[str], columns: int = 80, rows: int = 24, env: Mapping[str, str] | None = None
    ) -> None:
        self._screen = Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.output = b""  # all that the program wrote
        self._master, slave = pty.openpty()
        self._size(columns, rows)
        self._modes = termios.tcgetattr(slave)
        self._slave = slave
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            env={**environment(), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **(env or {})},
        )

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.hang_up()

    @property
    def lines(self) -> list[str]:
        """The rows of the screen without the blanks at their ends."""
        return [row.rstrip() for row in self._screen.display]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def colour(self, text: str) -> str | None:
        """Return the colour in which ``text`` begins on the screen, None where it does not stand there."""
        for number, row in enumerate(self._screen.display):
            if (column := row.find(text)) >= 0:
                return str(self._screen.buffer[number][column].fg)
        return None

    def type(self, keys: str | bytes) -> None:
        """Press ``keys``, as the terminal sends them."""
        left = keys.encode() if isinstance(keys, str) else keys
        while left:  # a program that is not read does not read either
            readable, writable, _ = select.select([self._master], [self._master], [], PATIENCE)
            if readable:
                self._read(0)
            elif writable:
                left = left[os.write(self._master, left[:1024]) :]
            else:
                raise AssertionError(f"the program takes no keys:\n{self.text}")

    def wait_for(self, what: str | Callable[[], Any]) -> None:
        """Return when ``what`` stands on the screen, or is true; AssertionError where that does not come."""
        seen = (lambda: what in self.text) if isinstance(what, str) else what
        end = time.monotonic() + PATIENCE
        while not seen():
            left = end - time.monotonic()
            if left <= 0 or not self._read(left):
                raise AssertionError(f"{what!r} did not come:\n{self.text}\n{self.output[-500:]!r}")

    def look(self, seconds: float = 0) -> bool:
        """Take what the program has drawn; False where nothing comes for so long."""
        return self._read(seconds)

    def settle(self) -> None:
        """Take what the program draws until it has drawn all: it writes a whole screen at once."""
        end = time.monotonic() + 1
        while self._read(0.01) and time.monotonic() < end:
            pass

    def wait_exit(self) -> int:
        """Return the exit status; reads on meanwhile."""
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            if time.monotonic() > end:
                raise AssertionError(f"the program goes on:\n{self.text}")
            self._read(0.05)
        while self._read(0):
            pass
        return self.process.returncode

    def resize(self, columns: int, rows: int) -> None:
        self._screen.resize(rows, columns)
        self._size(columns, rows)
        self.process.send_signal(signal.SIGWINCH)

    @property
    def restored(self) -> bool:
        """Whether the terminal is as it was before the program: its modes, the screen, the cursor, pasting."""
        modes = termios.tcgetattr(self._slave) == self._modes
        return (
            modes
            and all(
                self.output.rfind(b"\x1b[?%bh" % mode) < self.output.rfind(b"\x1b[?%bl" % mode)
                for mode in (b"1049", b"2004")
            )
            and self.output.rfind(b"\x1b[?25l") < self.output.rfind(b"\x1b[?25h")
        )

    def hang_up(self) -> None:
        """Take the terminal away."""
        for end in (self._master, self._slave):
            if end >= 0:
                os.close(end)
        self._master = self._slave = -1

    def _size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _read(self, seconds: float) -> bool:
        """Take what the program writes; False where nothing comes for ``seconds``."""
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        data = os.read(self._master, 65536)
        self.output += data
        self._stream.feed(data)
        return True
