"""Messages that are deleted: their content goes, their place stays."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from sqlalchemy import create_engine, func, select

from storage import Content, Delete, Message, Piece, Refusal, SendContent, UnknownMessage, UploadKey
from storage.access import existing, snapshot
from storage.changes import Deleted
from storage.checking import CHECKS, faults
from storage.schema import messages, parts, uploads
from tests.storage.databases import Cases, Journal, OnMariaDB, OnSQLite, send

SAID_AT = 1_764_000_000_000  # when `send` says things


class Deleting(Cases):
    def setUp(self) -> None:
        super().setUp()
        self.storage = self.open()
        self.journal = Journal(self.storage)
        self.room = self.journal.open()
        self.key = self.room.key

    def delete(self, id: int, by: str = "ann", own_since: int | None = 0) -> object:
        [outcome] = self.journal.commit(Delete(self.key, id, by, own_since))
        return outcome.code if isinstance(outcome, Refusal) else outcome

    def say(self, *texts: str) -> None:
        self.journal.commit(*(send(self.room, text) for text in texts))

    def upload(self, data: bytes, name: str) -> None:
        key = UploadKey("ann", b"c" * 32, 1)
        entry = SendContent(None, 1, self.key, "ann", SAID_AT, Content(key, len(data), name))
        self.journal.commit(Piece(None, key, 0, data), entry)

    def count(self, column: object) -> int:
        engine = create_engine(self.url)
        self.addCleanup(engine.dispose)
        with engine.connect() as connection:
            return int(connection.scalar(select(func.count()).select_from(column)) or 0)  # type: ignore[arg-type]

    def test_the_content_goes_and_the_place_stays(self) -> None:
        self.say("one", "SECRET", "three")
        self.assertIs(self.delete(2), True)
        page = self.storage.page(self.key, 1, 3)
        self.assertEqual(
            [(it.id, it.text, it.deleted) for it in page], [(1, "one", False), (2, "", True), (3, "three", False)]
        )
        self.assertEqual(page[1], Message("lobby", 2, "ann", SAID_AT, "", deleted=True))
        self.assertEqual(self.storage.search(self.key, ["secret"], 1, 3, 10), [])
        self.assertEqual(self.storage.some(self.key, [1, 2, 3]), [page[0], page[2]])
        with self.assertRaises(UnknownMessage):
            self.storage.content(self.key, 2, 0)
        self.say("four")
        self.assertEqual(self.storage.get_last_msg_id("lobby"), 4)

    def test_nothing_of_it_is_left_in_the_database(self) -> None:
        self.say("SECRET")
        self.delete(1)
        engine = create_engine(self.url)
        self.addCleanup(engine.dispose)
        with engine.connect() as connection:
            [row] = connection.execute(select(messages)).mappings().all()
        self.assertNotIn("secret", str(row).lower())

    def test_a_file_goes_with_all_its_parts(self) -> None:
        self.upload(b"x" * 1000, "plan.pdf")
        self.assertIs(self.delete(1), True)
        self.assertEqual(self.storage.page(self.key, 1, 1), [Message("lobby", 1, "ann", SAID_AT, "", deleted=True)])
        while self.storage.clean(0):
            pass
        self.assertEqual((self.count(parts), self.count(uploads)), (0, 0))
        with existing(self.url) as engine, snapshot(engine) as connection:
            self.assertEqual([fault for check in CHECKS for fault in faults(connection, check)], [])

    def test_what_is_not_there_cannot_be_deleted(self) -> None:
        self.say("one", "two")
        self.assertEqual([self.delete(id) for id in (0, 3, 2**53 - 1)], ["unknown_message"] * 3)
        self.delete(1)
        self.assertEqual(self.delete(1), "unknown_message")
        [said, deleted] = self.journal.commit(send(self.room, "three"), Delete(self.key, 3, "ann"))
        self.assertEqual((said, isinstance(deleted, Refusal)), (3, True))  # nobody can know of it yet

    def test_twice_in_one_batch_is_once(self) -> None:
        self.say("one")
        outcomes = self.journal.commit(Delete(self.key, 1, "ann"), Delete(self.key, 1, "bob"))
        self.assertEqual([outcome is True for outcome in outcomes], [True, False])

    def test_a_prunes_remains_are_not_there(self) -> None:
        self.say("one", "two")
        engine = create_engine(self.url)
        self.addCleanup(engine.dispose)
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE rooms SET first_id = 2")
        self.assertEqual(self.delete(1), "unknown_message")

    def test_ones_own_is_what_one_said_since(self) -> None:
        self.say("anns")
        self.assertEqual(self.delete(1, "bob"), "forbidden")
        self.assertEqual(self.delete(1, "ann", SAID_AT + 1), "forbidden")
        self.assertIs(self.delete(1, "ANN", SAID_AT), True)

    def test_anybodys_where_nothing_is_asked(self) -> None:
        self.say("anns")
        self.assertIs(self.delete(1, "root", None), True)

    def test_the_other_servers_hear_of_it(self) -> None:
        self.say("one")
        self.delete(1)
        own = self.storage.neighbours.own
        self.assertEqual(self.storage.neighbours.changes(own, 0)[-1][1], Deleted(self.key, 1, "ann"))


class OnSQLiteTests(Deleting, OnSQLite):
    def in_files(self, text: bytes) -> bool:
        return any(text in file.read_bytes() for file in self.path.parent.iterdir())

    def test_nothing_of_it_is_left_in_any_file(self) -> None:
        self.say("SECRET")
        self.upload(b"CONTENT " * 10_000, "plan.pdf")
        for id in (1, 2):
            self.delete(id)
        self.assertTrue(self.in_files(b"SECRET") and self.in_files(b"CONTENT"))
        with closing(sqlite3.connect(self.path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM messages").fetchall()
            while self.storage.clean(0):  # it does not wait for who reads
                pass
            self.assertTrue(self.in_files(b"SECRET"))
        self.storage.clean(0)
        self.assertFalse(self.in_files(b"SECRET") or self.in_files(b"CONTENT"))
        self.say("and goes on")


class OnMariaDBTests(Deleting, OnMariaDB):
    pass
