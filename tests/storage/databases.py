"""The same tests on all databases: mix tests into a class for each."""

from __future__ import annotations

import tempfile
import unittest
from collections.abc import Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, NullPool, create_engine, delete

from storage import Batch, Entry, LoggedIn, Login, Open, Outcome, Room, Send, Sender, Storage, Taken
from storage.schema import metadata
from tests.mariadb import MariaDB


class DatabaseCase(unittest.TestCase):
    """A test with an empty database of its own at ``url``, and storages that are closed after it."""

    url: URL
    kind: type[MariaDB] = MariaDB  # of server, where it is on one

    def open(self) -> Storage:
        """Return a storage that is prepared."""
        storage = Storage(self.url)
        self.addCleanup(storage.close)
        storage.prepare()
        return storage


class OnSQLite(DatabaseCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="chat-")
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name, "chat.db")
        self.url = URL.create("sqlite", database=str(self.path))


class OnMariaDB(DatabaseCase):
    """All share a database whose tables are emptied: to make them takes a second, on MySQL even more."""

    def setUp(self) -> None:
        self.server = self.kind.shared()
        self.url = _with_tables(self.server)
        with create_engine(self.url, poolclass=NullPool).begin() as connection:
            for table in metadata.sorted_tables:
                connection.execute(delete(table))


class OnNewMariaDB(DatabaseCase):
    """Each test has a database of its own, without tables."""

    def setUp(self) -> None:
        self.server = self.kind.shared()
        self.url = self.server.url(self.server.create())


@cache
def _with_tables(server: MariaDB) -> URL:
    url = server.url(server.create())
    with closing(Storage(url)) as storage:
        storage.prepare()
    return url


# What is mixed into them is no TestCase of its own.
if TYPE_CHECKING:
    Cases = DatabaseCase
else:
    Cases = object

ANN = Login("ann", b"a" * 32)


class Journal:
    """Commits batches to a storage, each with the next number, as a server does."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self._number = 0

    def batch(self, *entries: Entry) -> Batch:
        self._number += 1
        return Batch(entries, self._number)

    def commit(self, *entries: Entry) -> list[Any]:
        return plain(self.storage.commit(self.batch(*entries)))

    def open(self, name: str = "lobby") -> Room:
        [room] = self.commit(Open(name))
        assert isinstance(room, Room)
        return room

    def log_in(self, login: Login = ANN) -> LoggedIn:
        [logged_in] = self.commit(login)
        assert isinstance(logged_in, LoggedIn)
        return logged_in

    def known_sender(self, login: Login = ANN) -> Sender:
        sender = self.log_in(login).sender
        assert sender is not None
        return sender


def plain(outcomes: Sequence[Outcome]) -> list[Any]:
    """The outcomes with its id in place of what a message came to, None where it was left out."""
    return [next(iter(it.ids), None) if isinstance(it, Taken) else it for it in outcomes]


def send(room: Room, text: str = "hello", *, sender: Sender | None = None, seq: int = 1, by: str = "ann") -> Send:
    return Send(sender, seq, room.key, by, 1_764_000_000_000, [text])


def texts(storage: Storage, room: str = "lobby") -> list[str]:
    return [message.text for message in storage.get_all(room)]
