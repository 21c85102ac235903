"""What was typed before, kept between runs of the program."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final

import msgspec

ENTRIES: Final = 1000  # inputs that Up goes back through
CHARACTERS: Final = 64 * 2**20  # of all of them; a paste may be that long
LONGEST: Final = 4096  # characters of an input that is kept on disk
BYTES: Final = 2**20  # of the file that are read; when it is twice as long, the rest of it goes

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(str).decode


class Entered:
    """What was typed, at numbers that stay: ``first`` is the oldest that is kept, ``end`` the next one to come.

    The file at ``path`` has a JSON string a line, the newest at its end; several programs may share it. It is read when
    something is looked for. Where it cannot be used ``complain`` is told, once, and nothing more is kept on disk.
    """

    def __init__(self, path: Path | None, complain: Callable[[str], None]) -> None:
        self.first = 0
        self._path = path
        self._complain = complain
        self._texts: list[str] = []
        self._characters = 0
        self._early: list[str] = []  # not on disk yet
        self._loaded = False

    @property
    def end(self) -> int:
        """The number that the next text will have."""
        self._load()
        return self.first + len(self._texts)

    def __getitem__(self, number: int) -> str:
        """Return the text of that number, which is between ``first`` and ``end``."""
        return self._texts[number - self.first]

    def add(self, text: str, *, early: bool = False) -> None:
        """Have ``text`` as the newest, unless it is already; one that is ``early`` is on disk with the next."""
        self._load()
        if not text or self._texts[-1:] == [text]:
            return
        self._put(text)
        if len(text) <= LONGEST:
            self._early.append(text)
        if not early:
            self.keep()

    def keep(self) -> None:
        """Have on disk what is not yet."""
        early, self._early = self._early, []
        for text in early:
            self._guarded(self._append, text)

    def keep_back(self) -> None:
        """Let nothing come to the disk that is not there yet."""
        self._early.clear()

    def _put(self, text: str) -> None:
        self._texts.append(text)
        self._characters += len(text)
        while len(self._texts) > ENTRIES or (self._characters > CHARACTERS and len(self._texts) > 1):
            self._characters -= len(self._texts.pop(0))
            self.first += 1

    # The file.

    def _load(self) -> None:
        if not self._loaded:
            self._loaded = True
            self._guarded(self._read)

    def _guarded(self, work: Callable[..., None], *arguments: str) -> None:
        if self._path is None:
            return
        try:
            work(self._path, *arguments)
        except OSError as wrong:
            self._complain(f"what you type is not kept for the next start: {self._path}: {wrong.strerror}")
            self._path = None

    def _read(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                size, data = _newest(file)
        except FileNotFoundError:
            return
        for text in _texts(data):
            self._put(text)
        if size > 2 * BYTES:
            self._shorten(path)

    def _shorten(self, path: Path) -> None:
        with _locked(path) as file:
            _, data = _newest(file)
            file.seek(0)
            file.write(data)
            file.truncate()

    def _append(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _locked(path) as file:
            size = file.seek(0, os.SEEK_END)
            is_torn = size and os.pread(file.fileno(), 1, size - 1) != b"\n"  # when a program was killed
            file.write(b"\n" * bool(is_torn) + _encode(text) + b"\n")


def _locked(path: Path) -> IO[bytes]:
    """Open ``path``, made where it is not there, for nobody else until it is closed."""
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600), "r+b")
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


def _newest(file: IO[bytes]) -> tuple[int, bytes]:
    """Return the size of ``file``, and the lines at its end that are read."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - BYTES))
    data = file.read()
    return size, data.partition(b"\n")[2] if size > BYTES else data  # the first line is cut


def _texts(data: bytes) -> Iterator[str]:
    for line in data.splitlines():
        try:
            yield _decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):  # torn when a program was killed
            continue
