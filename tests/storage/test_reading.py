from __future__ import annotations

from zope.interface.verify import verifyObject

from storage import IStorage, Message, Room, UnknownMessage
from storage.sql import PAGE, Storage
from tests.mysql import MySQL
from tests.storage.databases import Cases, Journal, OnMariaDB, OnSQLite, send, texts
from wire.frames import MAX_BODY
from wire.names import fold

TEXTS = {
    "nothing": "",
    "NUL and controls": "a\0b\x1b[31m\r\n\t\x7f",
    "quotes": 'it\'s "100 %" `so` \\ %s :name ?',
    "escapes": "\\' OR 1=1 -- \\\\' \\n \\",
    "emoji": "👩‍👩‍👧‍👦 ❤️ 🇩🇪",
    "many scripts": "Grüße, Ελλάδα, Привет, 你好, שלום, नमस्ते",
    "trailing space": "x  ",
    "longest": "x" * MAX_BODY,
    "longest when folded": "\ufdfa" * (MAX_BODY // 3),  # one character, eighteen when folded
}


class Reading(Cases):
    def test_is_a_storage(self) -> None:
        self.assertTrue(verifyObject(IStorage, self.open()))

    def test_empty(self) -> None:
        storage = self.open()
        self.assertEqual(storage.rooms(), [])
        self.assertEqual(list(storage.get_all("lobby")), [])
        self.assertEqual(storage.get_last_msg_id("lobby"), 0)
        self.assertEqual(storage.page(1, 1, 100), [])
        with self.assertRaises(UnknownMessage):
            storage.get("lobby", 1)

    def test_a_saved_message_is_read_back(self) -> None:
        storage = self.open()
        saved = storage.save_msg("Lobby", "Ann", "hello")
        self.assertEqual(
            (saved.room, saved.id, saved.sender, saved.text, saved.size, saved.name, saved.deleted),
            ("Lobby", 1, "Ann", "hello", None, None, False),
        )
        self.assertEqual(storage.get("Lobby", 1), saved)
        self.assertEqual(list(storage.get_all("Lobby")), [saved])
        self.assertEqual(storage.save_msg("Lobby", "bob", "hi").id, 2)
        self.assertEqual(storage.get_last_msg_id("Lobby"), 2)

    def test_any_spelling_of_a_room_is_the_room_as_it_was_first_written(self) -> None:
        storage = self.open()
        storage.save_msg("Straße", "ann", "one")
        self.assertEqual(storage.save_msg("STRASSE", "ann", "two").room, "Straße")
        self.assertEqual(texts(storage, "strasse"), ["one", "two"])
        self.assertEqual(storage.get_last_msg_id("STRAẞE"), 2)
        self.assertEqual(storage.get("STRASSE", 2).room, "Straße")

    def test_names_that_only_a_collation_takes_for_one_are_two(self) -> None:
        storage = self.open()
        for name in ("resume", "résumé", "a", "а"):
            storage.save_msg(name, "ann", name)
        self.assertEqual(
            [storage.get(name, 1).text for name in ("resume", "résumé", "a", "а")], ["resume", "résumé", "a", "а"]
        )

    def test_every_text_comes_back_as_it_was(self) -> None:
        storage = self.open()
        for id, (kind, text) in enumerate(TEXTS.items(), 1):
            with self.subTest(kind):
                storage.save_msg("lobby", "ann", text)
                self.assertEqual(storage.get("lobby", id).text, text)

    def test_rooms_are_sorted_by_their_folded_names(self) -> None:
        storage = self.open()
        for name in ("Zoo", "apple", "Über", "zoo2", "Bee"):
            storage.save_msg(name, "ann", "x")
        found = storage.rooms()
        self.assertEqual([room.name for room in found], sorted(("Zoo", "apple", "Über", "zoo2", "Bee"), key=fold))
        self.assertEqual({(room.first_id, room.last_id) for room in found}, {(1, 1)})

    def test_page(self) -> None:
        journal = Journal(self.open())
        room, other = journal.open(), journal.open("other")
        journal.commit(*(send(room, str(n)) for n in range(1, 11)), send(other, "x"))

        def ids(first: int, last: int) -> list[int]:
            return [message.id for message in journal.storage.page(room.key, first, last)]

        self.assertEqual(ids(3, 5), [3, 4, 5])
        self.assertEqual(ids(1, 1), [1])
        self.assertEqual(ids(9, 99), [9, 10])
        self.assertEqual(ids(11, 99), [])
        self.assertEqual(journal.storage.page(room.key, 7, 7), [Message("lobby", 7, "ann", 1_764_000_000_000, "7")])

    def test_get_all_goes_on_where_it_is_told_to(self) -> None:
        journal = Journal(self.open())
        room = journal.open()
        last = 2 * PAGE + 1
        journal.commit(*(send(room, str(n)) for n in range(1, last + 1)))
        self.assertEqual([m.id for m in journal.storage.get_all("lobby")], list(range(1, last + 1)))
        self.assertEqual([m.id for m in journal.storage.get_all("lobby", after=last - 2)], [last - 1, last])
        self.assertEqual(list(journal.storage.get_all("lobby", after=last)), [])

    def test_get_all_holds_up_no_writer(self) -> None:
        journal = Journal(self.open())
        room = journal.open()
        journal.commit(*(send(room) for _ in range(2 * PAGE)))
        stream = journal.storage.get_all("lobby")
        next(stream)
        journal.commit(send(room, "meanwhile"))
        self.assertEqual([message.text for message in stream][-1], "meanwhile")

    def test_opening_tells_what_is_kept(self) -> None:
        journal = Journal(self.open())
        room = journal.open()
        self.assertEqual(room, Room(room.key, "lobby", 1, 0))
        journal.commit(send(room), send(room))
        self.assertEqual(journal.open("LOBBY"), Room(room.key, "lobby", 1, 2))


class ReadingSQLite(Reading, OnSQLite):
    pass


class ReadingMariaDB(Reading, OnMariaDB):
    def test_to_read_is_to_ask_once(self) -> None:
        storage = self.open()
        storage.account("ann")
        asked = [self._asked(storage)]
        storage.account("ann")
        asked.append(self._asked(storage))
        self.assertEqual(asked[1] - asked[0], 2)  # with the one how many there were

    def _asked(self, storage: Storage) -> int:
        """Return how many questions the database was asked by the connection that reads."""
        with storage._reader.connect() as connection:
            [(_, asked)] = connection.exec_driver_sql("SHOW SESSION STATUS LIKE 'Questions'")
        return int(asked)


class ReadingMySQL(ReadingMariaDB):
    kind = MySQL
