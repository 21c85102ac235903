"""The outbox on disk: what is sent and not known to be stored, kept for the next run of the program.

A file of JSON objects, one a line, to which lines are only added: what is to be sent, with which number it was said
last, and that it is done. Each line is written before what it tells of can happen. That survives a crash of the
program; it is not synced, as a message typed a moment before the machine dies is not worth a disk's sync a message.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote_to_bytes

import msgspec
from msgspec import Struct

COMPACT: Final = 1024 * 1024  # bytes of the file from which on it is written anew, where most of it is done


class Text(Struct, tag="text"):
    """A text; a long one has the number of its upload."""

    entry: int
    room: str
    text: str
    upload: int | None = None


class File(Struct, tag="file"):
    """A file as it was when it was sent; ``path`` is quoted as in a URL, for a path need not be text."""

    entry: int
    room: str
    upload: int
    path: str
    name: str
    size: int  # bytes
    changed: int  # nanoseconds since 1970-01-01 UTC


class Stream(Struct, tag="stream"):
    """An upload that nobody can go on with after a crash."""

    entry: int
    upload: int


class Place(Struct, tag="place"):
    """The number that an entry is said with, None where it has lost it."""

    entry: int
    number: int | None


class Done(Struct, tag="done"):
    """An entry need not be kept any more."""

    entry: int


Entry = Text | File | Stream

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Text | File | Stream | Place | Done).decode


def quoted(path: str) -> str:
    """Return ``path`` as a :class:`File` has it."""
    return quote(os.fsencode(path))


def unquoted(path: str) -> str:
    """Return the path that a :class:`File` has."""
    return os.fsdecode(unquote_to_bytes(path))


class Kept:
    """What is kept at ``path``; without one, nothing is.

    Where the file cannot be used ``complain`` is told, once, and nothing is kept from then on; where it cannot be
    written, nor is what was kept.
    """

    def __init__(self, path: Path | None, complain: Callable[[str], None]) -> None:
        self._path = path
        self._complain = complain
        self._file: int | None = None
        self._size = 0
        self._lines: dict[int, tuple[int, int]] = {}  # entry -> where its line begins and how long it is
        self._live = 0  # bytes of those lines
        self._numbers: dict[int, int] = {}
        self._last_entry = 0
        self.left: list[tuple[Entry, int | None]] = []  # by an earlier run, in order, with their numbers
        self._guarded(self._load)

    def keep(self, make: Callable[[int], Entry]) -> int:
        """Keep what ``make`` makes of a new entry's number, and return that number."""
        self._last_entry += 1
        entry = self._last_entry
        if self._file is not None:
            line = _line(make(entry))
            self._begin(entry, line)
            self._add(line)
        return entry

    def place(self, entry: int, number: int | None) -> None:
        """It is about to be said with ``number``, or has to be said anew."""
        if entry in self._lines:
            if number is None:
                self._numbers.pop(entry, None)
            else:
                self._numbers[entry] = number
            self._add(_line(Place(entry, number)))

    def done(self, entry: int) -> None:
        """It is stored or refused."""
        if entry not in self._lines:
            return
        self._end(entry)
        if not self._lines:
            self._guarded(self._empty)
        else:
            self._add(_line(Done(entry)))

    def close(self) -> None:
        """Write nothing more."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        self._lines.clear()
        self._live = 0

    # The file.

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except OSError as wrong:
            self.close()
            self._complain(f"what is sent does not survive a crash of this program: {self._path}: {wrong.strerror}")

    def _load(self) -> None:
        if self._path is None:
            return
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        entries: dict[int, Entry] = {}
        with open(self._file, "rb", closefd=False) as file:
            for line in file:
                if not self._replay(line, entries):
                    break
        os.ftruncate(self._file, self._size)  # what was torn when the program was killed
        self.left = [(entry, self._numbers.get(number)) for number, entry in entries.items()]
        self._last_entry = max(self._lines, default=0)
        if not self._lines:
            self._empty()

    def _replay(self, line: bytes, entries: dict[int, Entry]) -> bool:
        try:
            told = _decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return False
        if not line.endswith(b"\n"):
            return False
        if isinstance(told, Place):
            if told.number is None:
                self._numbers.pop(told.entry, None)
            else:
                self._numbers[told.entry] = told.number
        elif isinstance(told, Done):
            self._end(told.entry)
            entries.pop(told.entry, None)
        else:
            entries[told.entry] = told
            self._begin(told.entry, line)
        self._size += len(line)
        return True

    def _begin(self, entry: int, line: bytes) -> None:
        self._lines[entry] = self._size, len(line)
        self._live += len(line)

    def _end(self, entry: int) -> None:
        _, length = self._lines.pop(entry, (0, 0))
        self._live -= length
        self._numbers.pop(entry, None)

    def _add(self, line: bytes) -> None:
        self._guarded(lambda: self._write(line))

    def _write(self, line: bytes) -> None:
        assert self._file is not None
        try:
            self._append(line)
        except OSError:
            with suppress(OSError):  # what is stored from now on must not be sent again by the next run
                self._empty()
            raise

    def _append(self, line: bytes) -> None:
        assert self._file is not None
        _write_all(self._file, line)
        self._size += len(line)
        if self._size > COMPACT and self._size > 2 * self._live:
            self._compact()

    def _empty(self) -> None:
        assert self._file is not None
        os.ftruncate(self._file, 0)
        self._size = 0

    def _compact(self) -> None:
        """Write what is not done into a new file, and put that in the old one's place."""
        assert self._file is not None
        assert self._path is not None
        fresh = self._path.with_name(f".{self._path.name}.new")
        new = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        lines: dict[int, tuple[int, int]] = {}
        size = 0
        try:
            for entry, (start, length) in self._lines.items():
                line = os.pread(self._file, length, start)
                lines[entry] = size, length
                if entry in self._numbers:
                    line += _line(Place(entry, self._numbers[entry]))
                _write_all(new, line)
                size += len(line)
            fresh.rename(self._path)
        except OSError:
            os.close(new)
            raise
        os.close(self._file)
        self._file, self._lines, self._size = new, lines, size


def _line(what: Entry | Place | Done) -> bytes:
    return _encode(what) + b"\n"


def _write_all(file: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(file, left) :]
