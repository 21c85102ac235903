"""What is exported is everything, and makes the same chat of an empty database of any kind."""

from __future__ import annotations

from collections.abc import Callable
from sqlite3 import Connection

from sqlalchemy import Engine, event

from storage import Role, StorageUnusable, archive
from storage.access import existing, snapshot
from storage.archive import Account, Act, AnyRecord, Chat, End, Message, Part, Room, Sanction, Sender, Upload
from storage.restoring import BadRecord
from tests.mysql import MySQL
from tests.storage.databases import ANN, Journal, OnMariaDB, OnSQLite, send
from tests.storage.operating import FILE, HASH, NOW, TALK, UNICODE, Operated, contents

HELLO = Message("lobby", 1, "ann", 5, "hello")
FILE_OF_3 = Message("lobby", 1, "ann", 5, size=3, name="abc")


class Archive(Operated):
    def test_everything_is_in_it(self) -> None:
        self.everything()
        records = self.exported()
        self.assertEqual(records[0], Chat(1))
        self.assertEqual(records[-1], End(len(records) - 1))
        rooms = [record for record in records if isinstance(record, Room)]
        talk = Room(TALK.name, 1, 1, invited=["ann", "žoë"])
        den = Room("den", 1, 0, "ann", True, ["ann", "bob"])
        self.assertEqual(
            rooms, [talk, den, Room("Empty", 1, 0), Room("gone", 4, 3), Room("lobby", 1, 8), Room("Ärger", 6, 10)]
        )
        said = [record for record in records if isinstance(record, Message)]
        self.assertEqual([(message.room, message.id) for message in said], [
            (TALK.name, 1),
            *(("lobby", id) for id in range(1, 9)), *(("Ärger", id) for id in range(6, 11))])  # fmt: skip
        self.assertEqual(said[2].text, UNICODE)
        self.assertEqual([message.id for message in said if message.deleted], [3, 8])
        self.assertEqual(
            b"".join(record.data for record in records if isinstance(record, Part)),
            FILE * 3 + "Ñ".encode() * (len(FILE) // 2) + FILE[:1000],
        )
        [sender] = [record for record in records if isinstance(record, Sender)]
        self.assertEqual((sender.user, sender.client, sender.received), ("ann", ANN.client, 9))
        [upload] = [record for record in records if isinstance(record, Upload)]
        self.assertEqual((upload.number, upload.size), (7, 1000))
        self.assertEqual([record.whom for record in records if isinstance(record, Sanction)], ["192.0.2.0/24", "eve"])
        self.assertEqual([record.at for record in records if isinstance(record, Act)], [0, 1, 2])
        accounts = [record for record in records if isinstance(record, Account)]
        self.assertEqual(accounts, [Account("Ann", Role.OPERATOR, NOW, HASH), Account("Žoë", Role.USER, NOW, HASH)])

    def test_the_other_database_says_the_same(self) -> None:
        self.everything()
        first = self.exported()
        before = contents(self.open())
        found = self.open().search(self.room("lobby"), ["ümläut"], 1, 8, 10)
        self.assertEqual(len(found), 1)
        for kind in (ArchiveOfMariaDB, ArchiveOfSQLite):
            other = kind()
            other.setUp()
            self.addCleanup(other.doCleanups)
            other.restore(first)
            self.assertEqual(other.exported(), first)
            self.assertEqual(contents(other.open()), before)
            self.assertEqual(other.faults(), [])
            self.assertEqual(other.open().search(other.room("lobby"), ["ümläut"], 1, 8, 10), found)
            self.assertEqual(other.open().search(other.room("lobby"), ["ünïcödé"], 1, 8, 10), [2])
            self.assertEqual([talk for _, talk in other.open().talks("ann")], [TALK])

    def test_the_other_database_goes_on(self) -> None:
        self.everything()
        records = self.exported()
        self.setUp()
        self.restore(records)
        journal = Journal(self.open())
        logged_in = journal.log_in()
        self.assertEqual(logged_in.received, 9)
        self.assertEqual(self.open().save_msg("LOBBY", "ann", "on").id, 9)
        self.assertEqual(self.open().save_msg("gone", "ann", "on").id, 4)

    def test_it_sees_one_moment(self) -> None:
        self.everything()
        before = self.exported()
        with existing(self.url) as engine, snapshot(engine) as connection:
            records = archive.read(connection)
            beginning = [next(records), next(records)]
            self.open().save_msg("lobby", "ann", "later")
            Journal(self.open()).log_in()
            self.assertEqual([*beginning, *records], before)

    def test_what_is_being_removed_is_not_in_it(self) -> None:
        self.everything()
        self.change("UPDATE rooms SET first_id = 9 WHERE name = 'lobby'")
        records = self.exported()
        self.assertFalse([record for record in records if isinstance(record, Message) and record.room == "lobby"])

    def test_only_into_an_empty_database(self) -> None:
        self.open().save_msg("lobby", "ann", "hello")
        with self.assertRaisesRegex(StorageUnusable, "a new file, or a new database"):
            self.restore([Chat(1), End(1)])

    def test_what_cannot_be_leaves_nothing(self) -> None:
        room = Room("lobby", 1, 1)
        sender = Sender("ann", bytes(32), 1, 1, 1)
        account = Account("ann", Role.USER, 1, HASH)
        broken: tuple[tuple[list[AnyRecord], str], ...] = (
            ([room], "begins with its version"),
            ([Chat(1), Chat(1)], "begins with its version"),
            ([Chat(1)], "cut off"),
            ([Chat(1), room, HELLO], "cut off"),
            ([Chat(1), room, End(2)], "message 1 of lobby has to come first"),
            ([Chat(1), room, sender], "message 1 of lobby has to come first"),
            ([Chat(1), room, HELLO, HELLO], "no more messages than up to 1"),
            ([Chat(1), Room("lobby", 1, 9), HELLO, Message("lobby", 3, "ann", 5)], "message 2 of lobby has to"),
            ([Chat(1), HELLO], "cannot stand here"),
            ([Chat(1), room, Message("other", 1, "ann", 5)], "cannot stand here"),
            ([Chat(1), room, HELLO, Room("LOBBY", 1, 0)], "was there before"),
            ([Chat(1), room, FILE_OF_3, End(3)], "has 0 of its 3 bytes"),
            ([Chat(1), room, FILE_OF_3, Part(0, b"ab"), End(4)], "has 2 of its 3 bytes"),
            ([Chat(1), room, FILE_OF_3, Part(0, b"abcd")], "a part for byte 0"),
            ([Chat(1), room, FILE_OF_3, Part(0, b"a"), Part(2, b"c")], "a part for byte 2"),
            ([Chat(1), room, HELLO, Part(0, b"a")], "something that has none"),
            ([Chat(1), room, HELLO, sender, sender, End(5)], "shortly before"),
            ([Chat(1), room, HELLO, End(2)], "2 records should"),
            ([Chat(1), End(1), End(1)], "nothing may follow"),
            ([Chat(1), account, account, End(3)], "shortly before"),
            ([Chat(1), account, Account("\u0430nn", Role.USER, 1, HASH), End(3)], "shortly before"),
            ([Chat(1), room, account], "message 1 of lobby has to come first"),
        )
        for records, why in broken:
            with self.subTest(why=why), self.assertRaisesRegex(BadRecord, why):
                self.restore(records)
            self.assertEqual(self.exported(), [Chat(1), End(1)])


class ArchiveOfSQLite(Archive, OnSQLite):
    def test_much_takes_as_long_as_its_parts(self) -> None:
        def steps(work: Callable[[], object]) -> int:
            """Return how many steps SQLite takes for it, in thousands."""
            counted = 0

            def count() -> None:
                nonlocal counted
                counted += 1

            def watch(connection: Connection, _: object) -> None:
                connection.set_progress_handler(count, 1000)

            event.listen(Engine, "connect", watch)
            try:
                work()
            finally:
                event.remove(Engine, "connect", watch)
            return counted

        journal = Journal(self.open())
        lobby = journal.open()
        journal.commit(*(send(lobby) for _ in range(4000)))
        for work, more in ((self.exported, 4000), (lambda: list(self.open().get_all("lobby")), 8000)):
            before = steps(work)
            journal.commit(*(send(lobby) for _ in range(more)))
            self.assertLess(steps(work), 2.5 * before)


class ArchiveOfMariaDB(Archive, OnMariaDB):
    pass


class ArchiveOfMySQL(ArchiveOfMariaDB):
    kind = MySQL
