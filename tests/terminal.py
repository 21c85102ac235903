"""A terminal for tests: a program in a pty, and what it has drawn."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import tempfile
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import pyte
from pyte.screens import Char

from tests.forkserver import start
from tests.processes import counted_environment

PATIENCE = 20  # seconds until what a test waits for must have come

_LOST = re.compile("[\u200b\u200d\u202e\ufe0f]")  # pyte drops the rest of a text behind one of these


class Screen(pyte.Screen):
    """pyte's, which draws all of a text, and shows cells of which half was overwritten."""

    @property
    def display(self) -> list[str]:
        return ["".join(self.buffer[row][column].data for column in range(self.columns)) for row in range(self.lines)]

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
        self._home = tempfile.TemporaryDirectory(prefix="chat-")  # what it keeps is not the next one's
        home = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"), self._home.name)
        self.process = start(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={**counted_environment(), **home, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **(env or {})},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.hang_up()
        self._home.cleanup()

    @property
    def lines(self) -> list[str]:
        """The rows of the screen without the blanks at their ends."""
        return [row.rstrip() for row in self._screen.display]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def cells(self) -> list[list[Char]]:
        """What stands on the screen and how it looks; behind a wide character is an empty one."""
        screen = self._screen
        return [[screen.buffer[row][column] for column in range(screen.columns)] for row in range(screen.lines)]

    @property
    def cursor(self) -> tuple[int, int] | None:
        """Its column and row, None where it is hidden."""
        cursor = self._screen.cursor
        return None if cursor.hidden else (cursor.x, cursor.y)

    def settle(self, seconds: float) -> None:
        """Return when nothing was written for so long."""
        while self._read(seconds):
            pass

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
        """Whether the terminal is as before the program: its modes, the screen, the cursor, pasting, the mouse."""
        modes = termios.tcgetattr(self._slave) == self._modes
        return modes and self.has("25", True) and not any(self.has(mode) for mode in ("1049", "2004", "1000", "1006"))

    def has(self, mode: str, before: bool = False) -> bool:
        """Whether the program has set a private ``mode`` (1049: the other screen …), which was ``before`` set."""
        on, off = (self.output.rfind(f"\x1b[?{mode}{end}".encode()) for end in "hl")
        return before if on == off else on > off

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
        self._feed(os.read(self._master, 65536))
        return True

    def _feed(self, data: bytes) -> None:
        """Take what the program wrote."""
        self.output += data
        self._stream.feed(data)
