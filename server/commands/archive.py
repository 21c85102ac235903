"""``export`` and ``import``: all that a database holds as JSON lines, from any kind of database into any other."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO, ClassVar, Final

import msgspec

from server.commands.command import OnDatabase, Refused, progress
from storage import archive
from storage.access import existing, prepared, snapshot, writing
from storage.restoring import BadRecord, Restoring

MAX_LINE: Final = 2**21  # bytes; of a part the longest are 1.4 million

_encode = msgspec.json.Encoder().encode
_decoder: msgspec.json.Decoder[archive.AnyRecord] = msgspec.json.Decoder(archive.AnyRecord)


class Export(OnDatabase):
    """Writes to standard output as it reads: memory does not grow with what there is."""

    synopsis: ClassVar[str] = "[options] > FILE"
    longdesc = "Shows the moment at which it begins, whatever is said meanwhile. `chat-server import` reads it."

    def run(self) -> int:
        """Export."""
        output = sys.stdout.buffer
        with existing(self.db) as engine, snapshot(engine) as connection:
            with progress(archive.count(connection), " messages") as bar:
                for record in archive.read(connection):
                    output.write(_encode(record) + b"\n")
                    bar.update(isinstance(record, archive.Message))
            output.flush()
        return 0


class Import(OnDatabase):
    """Reads from standard input, in one transaction of the database."""

    synopsis: ClassVar[str] = "[options] < FILE"
    longdesc = "All of it is there at the end, or nothing, whatever happens meanwhile."

    def run(self) -> int:
        """Import."""
        if sys.stdin.isatty():
            raise Refused("give it what an export wrote: chat-server import < FILE")
        with prepared(self.db) as engine, writing(engine) as connection:
            restoring = Restoring(connection)
            with progress(_size(sys.stdin.buffer), "B", scaled=True) as bar:
                _restore(restoring, sys.stdin.buffer, bar)
        return 0


def _restore(restoring: Restoring, file: BinaryIO, bar: Any) -> None:
    number = 0
    try:
        for number, line in enumerate(_lines(file), 1):  # noqa: B007
            restoring.take(_record(line))
            bar.update(len(line))
        restoring.finish()
    except BadRecord as wrong:
        raise Refused(f"line {number} of the export: {wrong}; nothing was imported") from None


def _lines(file: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: file.readline(MAX_LINE), b"")


def _record(line: bytes) -> archive.AnyRecord:
    if not line.endswith(b"\n"):
        raise BadRecord("it is cut off, or too long to be one")
    try:
        return _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise BadRecord(str(wrong)) from None


def _size(file: BinaryIO) -> int | None:
    """Return the bytes of a file, None where it is a pipe."""
    status = os.fstat(file.fileno())
    return status.st_size if stat.S_ISREG(status.st_mode) else None
