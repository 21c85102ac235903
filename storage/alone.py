"""A database that only one server may serve."""

from __future__ import annotations

import fcntl
import os

from storage.interface import StorageUnusable


class Alone:
    """The right to serve the database file at ``path``, held until it is let go or the process ends.

    A lock of its own file: the database's is SQLite's, and every other program may go on using that.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: int | None = None

    def take(self) -> None:
        """Take it; raises :class:`StorageUnusable` where another server has it."""
        if self._file is not None:
            return
        try:
            file = os.open(f"{self._path}-server", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StorageUnusable(
                f"{self._path}-server cannot be written: {error.strerror};"
                " its folder must exist, and this user must be allowed to write to it"
            ) from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            raise StorageUnusable(
                f"another server serves {self._path}; several servers share one chat on MySQL or MariaDB only:"
                " stop the other one, or give this one a database of its own with --db"
            ) from None
        self._file = file

    def let_go(self) -> None:
        """Let another server have it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
