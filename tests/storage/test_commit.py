from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, select
from sqlalchemy.exc import DataError, OperationalError

from storage import (
    Batch,
    LoggedIn,
    Login,
    Open,
    Outcome,
    Refuse,
    Room,
    Send,
    Sender,
    Storage,
    StorageDown,
    Taken,
    UnknownMessage,
)
from storage.schema import NAME, messages, senders, servers
from tests.mariadb import MariaDB
from tests.mysql import MySQL
from tests.storage.databases import ANN, Cases, DatabaseCase, Journal, OnMariaDB, OnSQLite, plain, send, texts

PATIENCE = 60  # seconds for one batch


def persist(storage: Storage, batch: Batch) -> list[Outcome]:
    """Commit as a server does: again while the database says that it passes."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(StorageDown):
            return storage.commit(batch)
    raise AssertionError("a batch is never stored")


@contextmanager
def answer_lost(*, committed: bool) -> Iterator[None]:
    """Let connections break at COMMIT, behind it or before it."""

    def lose(connection: Connection) -> None:
        raw = connection.connection.dbapi_connection
        assert raw is not None
        (raw.commit if committed else raw.rollback)()
        connection.invalidate()
        lost = Exception(2013, "Lost connection to MySQL server during query")
        raise OperationalError("COMMIT", None, lost, connection_invalidated=True)

    event.listen(Engine, "commit", lose)
    try:
        yield
    finally:
        event.remove(Engine, "commit", lose)


class Committing(Cases):
    def setUp(self) -> None:
        super().setUp()
        self.journal = Journal(self.open())

    def rows(self, *columns: Any) -> list[Any]:
        engine = create_engine(self.url)
        self.addCleanup(engine.dispose)
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(select(*columns))]

    def test_nothing_to_do(self) -> None:
        self.assertEqual(self.journal.commit(), [])

    def test_ids_count_up_in_each_room(self) -> None:
        lobby, tea = self.journal.open(), self.journal.open("tea")
        outcomes = self.journal.commit(send(lobby), send(tea), send(lobby), send(lobby), send(tea))
        self.assertEqual(outcomes, [1, 1, 2, 3, 2])
        self.assertEqual(self.journal.commit(send(tea), send(lobby)), [3, 4])

    def test_outcomes_are_those_of_the_moment(self) -> None:
        room = self.journal.open()
        outcomes = self.journal.commit(send(room), Open("Lobby"), send(room), Open("LOBBY"), Open("new"), Open("NEW"))
        new = outcomes[4]
        assert isinstance(new, Room)
        self.assertEqual((new.name, new.first_id, new.last_id), ("new", 1, 0))
        self.assertEqual(outcomes, [1, Room(room.key, "lobby", 1, 1), 2, Room(room.key, "lobby", 1, 2), new, new])

    def test_a_room_that_is_there_uses_up_no_key(self) -> None:
        for _ in range(20):
            room = self.journal.open()
        self.assertEqual(self.journal.open("next").key, room.key + 1)

    def test_a_send_is_stored_once(self) -> None:
        room, ann = self.journal.open(), self.journal.known_sender()
        first, second = send(room, "1", sender=ann, seq=1), send(room, "2", sender=ann, seq=2)
        self.assertEqual(self.journal.commit(first, first, second), [1, None, 2])
        self.assertEqual(self.journal.commit(first, second), [None, None])
        self.assertEqual(texts(self.journal.storage), ["1", "2"])
        self.assertEqual(self.journal.log_in().received, 2)

    def test_of_what_is_said_at_a_stretch_only_the_rest_is_stored(self) -> None:
        room, ann = self.journal.open(), self.journal.known_sender()
        stretch = Send(ann, 1, room.key, "ann", 5, ["1", "2", "3"])
        again = Send(ann, 2, room.key, "ann", 6, ["2", "3", "4", "5"])
        [first, second, third] = self.journal.storage.commit(self.journal.batch(stretch, again, again))
        self.assertEqual(first, Taken(1, 0, range(1, 4)))
        self.assertEqual(second, Taken(2, 2, range(4, 6)))
        assert isinstance(third, Taken)
        self.assertEqual((third.left_out, list(third.ids)), (4, []))
        self.assertEqual(texts(self.journal.storage), ["1", "2", "3", "4", "5"])
        self.assertEqual(self.journal.log_in().received, 5)
        old = Send(ann, 6, room.key, "ann", 7, ["6", "7"])
        [outcome] = self.journal.storage.commit(self.journal.batch(old))
        assert isinstance(outcome, Taken)
        self.assertEqual((outcome.left_out, list(outcome.ids)), (2, []))

    def test_a_refused_send_counts(self) -> None:
        room, ann = self.journal.open(), self.journal.known_sender()
        outcomes = self.journal.commit(Refuse(ann, 1), Refuse(ann, 1), send(room, sender=ann, seq=1), ANN)
        self.assertEqual(outcomes[:3], [True, False, None])
        self.assertEqual(outcomes[3], LoggedIn(Sender(ann.user, ann.client, 2), 1, "ann"))

    def test_a_login_cuts_off_what_the_connection_before_it_sends(self) -> None:
        room, old = self.journal.open(), self.journal.known_sender()
        entries = send(room, "1", sender=old, seq=1), ANN, send(room, "2", sender=old, seq=2), Refuse(old, 3)
        new = Sender(old.user, old.client, 2)
        self.assertEqual(self.journal.commit(*entries), [1, LoggedIn(new, 1, "ann"), None, False])
        self.assertEqual(self.journal.commit(send(room, sender=old, seq=2)), [None])
        self.assertEqual(self.journal.commit(send(room, "again", sender=new, seq=2)), [2])
        self.assertEqual(texts(self.journal.storage), ["1", "again"])

    def test_a_login_on_another_server_cuts_off_too(self) -> None:
        room, old = self.journal.open(), self.journal.known_sender()
        other = Journal(self.open())
        new = other.known_sender()
        self.assertEqual(new.epoch, old.epoch + 1)
        self.assertEqual(self.journal.commit(send(room, sender=old)), [None])
        self.assertEqual(other.commit(send(room, sender=new)), [1])

    def test_clients_and_users_are_told_apart(self) -> None:
        pairs = ("ann", b"a" * 32), ("ann", b"\1" * 32), ("bob", b"a" * 32), ("ann", b"A" * 32)
        logins = [Login(user, client, key=b"k" * 32, number=number) for number, (user, client) in enumerate(pairs)]
        first = self.journal.commit(*logins)
        again = self.journal.commit(*logins[:2], *logins[:1])
        self.assertEqual(again[2], LoggedIn(Sender("ann", b"a" * 32, 3), 0, "ann"))
        self.assertEqual(first, [LoggedIn(Sender(it.user, it.client or b"", 1), 0, it.user) for it in logins])

    def test_without_a_client_every_connection_is_new(self) -> None:
        room = self.journal.open()
        self.assertEqual(self.journal.log_in(Login("ann", None)), LoggedIn(None, 0, "ann"))
        self.assertEqual(
            self.journal.commit(send(room), send(room), Refuse(None, 1), send(room, seq=1)), [1, 2, True, 3]
        )
        self.assertLessEqual({client for (client,) in self.rows(senders.c.client)}, {NAME})

    def test_a_thousand_at_once(self) -> None:
        logins = [Login(f"user{n}", n.to_bytes(32), number=n) for n in range(1, 1201)]
        outcomes = self.journal.commit(*(Open(f"room{n}") for n in range(1200)), *logins)
        opened = [it for it in outcomes if isinstance(it, Room)]
        known = [it.sender for it in outcomes if isinstance(it, LoggedIn)]
        sends = [send(room, sender=sender) for room, sender in zip(opened, known, strict=True)]
        self.assertEqual(self.journal.commit(*sends, *sends), [1] * 1200 + [None] * 1200)

    def test_what_is_searched_is_folded_where_it_differs(self) -> None:
        room = self.journal.open()
        self.journal.commit(send(room, "plain"), send(room, "Straße Ⅳ"), send(room, "ﬁ"), send(room, "ß"))
        stored = dict(self.rows(messages.c.id, messages.c.folded))
        self.assertEqual(stored, {1: None, 2: "strasse iv", 3: "fi", 4: "ss"})

    def test_what_it_will_never_have_stores_nothing(self) -> None:
        room, ann = self.journal.open(), self.journal.known_sender()
        gone = Room(room.key + 1, "gone", 1, 0)
        with self.assertRaises(LookupError):
            self.journal.commit(send(room, sender=ann), send(gone))
        self.assertEqual(texts(self.journal.storage), [])
        self.assertEqual(self.journal.commit(send(room, sender=ann)), [1])

    def test_a_surrogate_stores_nothing(self) -> None:
        room = self.journal.open()
        with self.assertRaises(UnicodeEncodeError):
            self.journal.commit(send(room), send(room, "\ud800"))
        self.assertEqual(self.journal.commit(send(room)), [1])

    def test_a_commit_that_happened_unheard_is_not_repeated(self) -> None:
        room, ann = self.journal.open(), self.journal.known_sender()
        batch = self.journal.batch(send(room, "1"), send(room, "2", sender=ann), Open("new"), ANN)
        with answer_lost(committed=True), self.assertRaises(StorageDown):
            self.journal.storage.commit(batch)
        Journal(self.open()).commit(send(room, "between"))
        outcomes = plain(self.journal.storage.commit(batch))
        self.assertEqual(outcomes[:2], [1, 2])
        self.assertEqual(outcomes[3], LoggedIn(Sender(ann.user, ann.client, 2), 1, "ann"))
        self.assertEqual(texts(self.journal.storage), ["1", "2", "between"])
        self.assertEqual(self.journal.commit(send(room, "4")), [4])

    def test_a_commit_that_did_not_happen_is_numbered_anew(self) -> None:
        room = self.journal.open()
        batch = self.journal.batch(send(room, "late"))
        for _ in range(2):
            with answer_lost(committed=False), self.assertRaises(StorageDown):
                self.journal.storage.commit(batch)
        Journal(self.open()).commit(send(room, "between"))
        self.assertEqual(plain(self.journal.storage.commit(batch)), [2])
        self.assertEqual(texts(self.journal.storage), ["between", "late"])

    def test_the_very_first_commit_may_be_lost(self) -> None:
        batch = self.journal.batch(Open("lobby"), ANN)
        with answer_lost(committed=True), self.assertRaises(StorageDown):
            self.journal.storage.commit(batch)
        [_, logged_in] = self.journal.storage.commit(batch)
        assert isinstance(logged_in, LoggedIn)
        assert logged_in.sender is not None
        self.assertEqual(logged_in.sender.epoch, 1)
        self.assertEqual(self.journal.log_in().sender, Sender("ann", ANN.client or b"", 2))

    def test_each_server_knows_its_own_batches(self) -> None:
        room = self.journal.open()
        other = Journal(self.open())
        batch = self.journal.batch(send(room, "mine"))
        other.open()
        with answer_lost(committed=False), self.assertRaises(StorageDown):
            self.journal.storage.commit(batch)
        other.commit(send(room, "theirs"))  # of the same number
        self.assertEqual(plain(self.journal.storage.commit(batch)), [2])
        self.assertEqual(len(self.rows(servers.c.id)), 2)

    def test_servers_number_together_without_gaps(self) -> None:
        room, tea = self.journal.open(), self.journal.open("tea")
        journals = [Journal(self.open()) for _ in range(3)]

        def write(journal: Journal) -> list[Outcome]:
            pairs = ([send(room), send(tea)] if number % 2 else [send(tea), send(room)] for number in range(40))
            return plain([it for pair in pairs for it in persist(journal.storage, journal.batch(*pair))])

        with ThreadPoolExecutor() as threads:
            ids = [id for per_server in threads.map(write, journals) for id in per_server]
        self.assertEqual(sorted(id for id in ids if isinstance(id, int)), sorted([*range(1, 121)] * 2))
        for name in ("lobby", "tea"):
            self.assertEqual([it.id for it in self.journal.storage.get_all(name)], [*range(1, 121)])
            self.assertEqual(self.journal.storage.get_last_msg_id(name), 120)

    def test_logins_of_one_client_on_many_servers_have_an_epoch_each(self) -> None:
        journals = [Journal(self.open()) for _ in range(4)]

        def log_in(journal: Journal) -> list[Outcome]:
            news = [Login(f"user{number}", b"n" * 32, number=number) for number in range(20)]
            return [it for login in news for it in persist(journal.storage, journal.batch(login))]

        with ThreadPoolExecutor() as threads:
            found = [it for per_server in threads.map(log_in, journals) for it in per_server]
        epochs = sorted(it.sender.epoch for it in found if isinstance(it, LoggedIn) and it.sender)
        self.assertEqual(epochs, sorted([1, 2, 3, 4] * 20))

    def test_rooms_opened_on_many_servers_at_once_are_one(self) -> None:
        journals = [Journal(self.open()) for _ in range(4)]

        def open_all(journal: Journal) -> list[Outcome]:
            return persist(journal.storage, journal.batch(*(Open(f"room{number}") for number in range(20))))

        with ThreadPoolExecutor() as threads:
            opened = list(threads.map(open_all, journals))
        self.assertEqual(len(self.journal.storage.rooms()), 20)
        for outcomes in opened[1:]:
            self.assertEqual(outcomes, opened[0])

    def test_what_is_pruned_is_not_read(self) -> None:
        room = self.journal.open()
        self.journal.commit(send(room, "1"), send(room, "2"), send(room, "3"))
        engine = create_engine(self.url)
        self.addCleanup(engine.dispose)
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE rooms SET first_id = 3")
        self.assertEqual(texts(self.journal.storage), ["3"])
        self.assertEqual([it.id for it in self.journal.storage.page(room.key, 1, 9)], [3])
        with self.assertRaises(UnknownMessage):
            self.journal.storage.get("lobby", 2)


class CommittingSQLite(Committing, OnSQLite):
    pass


class CommittingMariaDB(Committing, OnMariaDB):
    def test_too_long_for_its_column_is_no_passing_fault(self) -> None:
        room = self.journal.open()
        with self.assertRaises(DataError):
            self.journal.commit(send(room, by="x" * 33))
        self.assertEqual(texts(self.journal.storage), [])


class CommittingMySQL(CommittingMariaDB):
    kind = MySQL


class SQLiteAway(OnSQLite):
    """What passes on SQLite."""

    def test_locked_by_another_program(self) -> None:
        journal = Journal(self.open())
        room = journal.open()
        hasty = Storage(self.url.set(query={"timeout": "0"}))
        self.addCleanup(hasty.close)
        batch = Batch([send(room)], 1)
        other = sqlite3.connect(self.path, isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")
        with self.assertRaisesRegex(StorageDown, "locked"):
            hasty.commit(batch)
        self.assertEqual(texts(hasty), [])
        other.execute("ROLLBACK")
        self.assertEqual(plain(hasty.commit(batch)), [1])

    def test_disk_full(self) -> None:
        journal = Journal(self.open())
        room = journal.open()
        journal.storage.close()

        def shrink(connection: sqlite3.Connection, _: object) -> None:
            connection.execute("PRAGMA max_page_count = 1")

        batch = journal.batch(send(room, "x" * 60_000))
        event.listen(Engine, "connect", shrink)
        try:
            with self.assertRaisesRegex(StorageDown, "full"):
                journal.storage.commit(batch)
        finally:
            event.remove(Engine, "connect", shrink)
        journal.storage.close()
        self.assertEqual(plain(journal.storage.commit(batch)), [1])


class MariaDBAway(DatabaseCase):
    """What passes on MariaDB; it is killed, so it is not the one that others use."""

    def setUp(self) -> None:
        self.server = MariaDB()
        self.addCleanup(self.server.stop)
        self.url: URL = self.server.url(self.server.create(), tcp=True)

    def test_killed_and_started_again(self) -> None:
        journal = Journal(self.open())
        room, ann = journal.open(), journal.known_sender()
        journal.commit(send(room, "1", sender=ann))
        self.server.kill()
        batch = journal.batch(send(room, "2", sender=ann, seq=2))
        with self.assertRaises(StorageDown):
            journal.storage.commit(batch)
        with self.assertRaises(StorageDown):
            journal.storage.rooms()
        self.server.start()
        self.assertEqual(texts(journal.storage), ["1"])
        self.assertEqual(plain(journal.storage.commit(batch)), [2])
        self.server.kill()
        self.server.start()
        self.assertEqual(texts(journal.storage), ["1", "2"])  # though the pool's connection is dead

    def test_killed_while_batches_are_committed(self) -> None:
        journal = Journal(self.open())
        room = journal.open()
        batches = [journal.batch(Send(None, 0, room.key, "ann", 0, [str(number)])) for number in range(300)]

        def write() -> list[Outcome]:
            return plain([it for batch in batches for it in persist(journal.storage, batch)])

        with ThreadPoolExecutor() as threads:
            ids = threads.submit(write)
            for _ in range(3):
                reader = Journal(self.open())
                before = reader.storage.get_last_msg_id("lobby")
                while not ids.done() and reader.storage.get_last_msg_id("lobby") < before + 20:
                    pass
                self.server.kill()
                self.server.start()
            self.assertEqual(ids.result(), [*range(1, 301)])
        self.assertEqual(texts(journal.storage), [str(number) for number in range(300)])
