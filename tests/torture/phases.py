"""The phases of a batch, and a file with the phase that a server's journal is in: one byte, which survives a kill."""

from __future__ import annotations

import mmap
from enum import IntEnum
from pathlib import Path


class Phase(IntEnum):
    """Where the journal is."""

    GATHERING = 0  # idle: the next batch gathers, or nobody says anything
    COMMITTING = 1  # a batch is in the database's hands
    COMMITTED = 2  # it is committed, but nobody has been told yet
    PUBLISHING = 3  # who waits for it is being told


def shared_byte(path: Path) -> mmap.mmap:
    """Return the byte in the file at ``path``, shared with every process that asks for it."""
    with path.open("r+b") as file:
        return mmap.mmap(file.fileno(), 1)
