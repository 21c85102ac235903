"""A copy of an SQLite database while servers write to it, by SQLite's own backup."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

PAGES: Final = 1024  # of 8 KiB that are copied at once: often enough for a progress bar


def backup(source: Path, target: Path, copied: Callable[[int, int], None]) -> None:
    """Copy the database ``source`` as it is now to ``target``, which appears when it is whole and synced.

    ``copied`` is told how many pages of how many are there. Raises ``FileExistsError`` where ``target`` is there,
    ``sqlite3.Error`` and ``OSError``; nothing is left then.
    """
    if target.exists():
        raise FileExistsError(target)
    unfinished = target.with_name(f"{target.name}.part")
    unfinished.unlink(missing_ok=True)
    try:
        _copy(source, unfinished, copied)
        _sync(unfinished)
        unfinished.rename(target)
    finally:
        unfinished.unlink(missing_ok=True)
    _sync(target.parent)


def _copy(source: Path, target: Path, copied: Callable[[int, int], None]) -> None:
    with closing(sqlite3.connect(source, isolation_level=None)) as here, closing(sqlite3.connect(target)) as there:
        # What the copy shows is what this transaction sees. Without it the copy would begin anew with every commit of
        # a server, and never end.
        here.execute("BEGIN")
        here.execute("SELECT count(*) FROM sqlite_master").fetchone()
        here.backup(there, pages=PAGES, progress=lambda _, left, total: copied(total - left, total))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
