"""``backup``: a copy of an SQLite database while the server writes to it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, ClassVar

from twisted.python.usage import UsageError

from server.commands.command import OnDatabase, Refused, interruptible, progress
from storage.access import sqlite_file
from storage.backup import backup
from storage.database import parse


class Backup(OnDatabase):
    """Takes no schema for granted: a copy is wanted before an upgrade above all."""

    synopsis: ClassVar[str] = "[options] FILE"
    longdesc = "FILE appears when it is whole. It is a database like any other: a server starts on it."

    def parseArgs(self, *arguments: str) -> None:
        """Take the file."""
        if len(arguments) != 1:
            raise UsageError("name one file that the copy goes to")
        self["file"] = Path(arguments[0])

    def run(self) -> int:
        """Copy."""
        url = parse(self.db)
        source = sqlite_file(url)
        if source is None:
            raise Refused(
                f"backup is for SQLite; here use: mysqldump --single-transaction {url.database} > FILE,"
                " or mariadb-dump with the same words, or chat-server export > FILE"
            )
        try:
            with interruptible(), progress(None, " pages") as bar:
                backup(source, self["file"], lambda done, total: _show(bar, done, total))
        except FileExistsError:
            raise Refused(f"{self['file']} is there already; name a new file") from None
        except sqlite3.Error as wrong:
            raise Refused(f"{source} could not be copied to {self['file']}: {wrong}") from None
        return 0


def _show(bar: Any, done: int, total: int) -> None:
    bar.total = total
    bar.update(done - bar.n)
