"""What is pruned is gone, nothing else is, and it may be cut off anywhere."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from storage import Content, Piece, Room, Send, SendContent, UploadKey
from storage.access import existing
from storage.pruning import Pruning
from tests.mysql import MySQL
from tests.storage.databases import ANN, Journal, OnMariaDB, OnSQLite, send
from tests.storage.operating import FILE, Operated


class Pruned(Operated):
    def setUp(self) -> None:
        super().setUp()
        self.storage = self.open()
        self.journal = Journal(self.storage)
        opened = existing(self.url)
        self.pruning = Pruning(opened.__enter__(), 4)
        self.addCleanup(opened.__exit__, None, None, None)

    def fill(self, name: str, *ages: int) -> Room:
        """Store a message of each age, in milliseconds after 1970, in a room."""
        room = self.journal.open(name)
        self.journal.commit(*(Send(None, 0, room.key, "ann", at, ["x"]) for at in ages))
        return self.journal.open(name)

    def ids(self, name: str) -> list[int]:
        return [message.id for message in self.storage.get_all(name)]

    def stored(self, table: str) -> int:
        with self.pruning._engine.connect() as connection:
            return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())

    def prune(self, room: Room, first_id: int) -> None:
        self.pruning.move(room, first_id)
        while self.pruning.remove(room):
            pass
        while self.storage.clean(0):
            pass

    def test_the_newest_stay(self) -> None:
        room = self.fill("lobby", *range(10))
        for count, first in ((100, 1), (10, 1), (3, 8), (0, 11)):
            self.assertEqual(self.pruning.first_of_newest(room, count), first)

    def test_what_is_not_old_stays(self) -> None:
        room = self.fill("lobby", 1, 2, 3, 4, 5, 6, 9, 7, 8, 9)
        for since, first in ((0, 1), (1, 1), (4, 4), (5, 5), (7, 7), (8, 7), (9, 7), (10, 11)):
            self.assertEqual(self.pruning.first_since(room, since), first, since)
        self.prune(room, 6)
        [room] = self.storage.rooms()
        self.assertEqual(self.pruning.first_since(room, 0), 6)
        self.assertEqual(self.pruning.first_since(self.journal.open("empty"), 5), 1)

    def test_only_what_lies_before_goes(self) -> None:
        room, other = self.fill("lobby", *range(10)), self.fill("other", *range(10))
        self.assertEqual(self.pruning.below(room, 8), 7)
        self.prune(room, 8)
        self.assertEqual(self.ids("lobby"), [8, 9, 10])
        self.assertEqual(self.ids("other"), list(range(1, 11)))
        self.assertEqual(self.stored("messages"), 13)
        self.assertEqual(self.storage.save_msg("lobby", "ann", "on").id, 11)
        self.assertEqual(self.faults(), [])
        self.assertEqual(self.pruning.below(other, 1), 0)

    def test_a_room_may_be_emptied_and_goes_on(self) -> None:
        room = self.fill("lobby", *range(9))
        self.prune(room, 10)
        self.assertEqual((self.ids("lobby"), self.stored("messages")), ([], 0))
        self.assertEqual(self.storage.save_msg("lobby", "ann", "on").id, 10)
        self.assertEqual(self.faults(), [])

    def test_a_beginning_never_moves_back(self) -> None:
        room = self.fill("lobby", *range(9))
        self.prune(room, 6)
        self.pruning.move(room, 2)
        [room] = self.storage.rooms()
        self.assertEqual(room.first_id, 6)

    def test_contents_go_too(self) -> None:
        room = self.journal.open("lobby")
        ann = self.journal.known_sender()
        for number in (1, 2, 3):
            key = UploadKey("ann", ANN.client or b"", number)
            self.journal.commit(*(Piece(ann, key, index * len(FILE), FILE) for index in range(20)))
            self.journal.commit(SendContent(ann, number, room.key, "ann", 0, Content(key, 20 * len(FILE), "file")))
        self.prune(room, 3)
        self.assertEqual((self.stored("uploads"), self.stored("parts")), (1, 20))
        self.assertEqual(self.storage.content(room.key, 3, 0), FILE)
        self.assertEqual(self.faults(), [])

    def test_what_was_cut_off_is_hidden_and_goes_with_the_next(self) -> None:
        room = self.fill("lobby", *range(20))
        self.pruning.move(room, 15)
        self.assertEqual(self.pruning.remove(room), 4)
        self.assertEqual(self.ids("lobby"), list(range(15, 21)))
        [fault] = self.faults()
        self.assertIn("lobby: 10 messages are left from before its first one, 15", fault)
        [room] = self.storage.rooms()
        self.assertEqual(self.pruning.below(room, room.first_id), 10)
        self.prune(room, room.first_id)
        self.assertEqual(self.stored("messages"), 6)

    def test_talk_goes_on_between(self) -> None:
        room = self.fill("lobby", *range(20))
        self.pruning.move(room, 17)
        for id in islice(iter(lambda: self.pruning.remove(room), 0), 3):
            self.assertEqual(id, 4)
            self.journal.commit(send(room))
        self.assertEqual(self.ids("lobby"), list(range(17, 24)))


class PrunedSQLite(Pruned, OnSQLite):
    pass


class PrunedMariaDB(Pruned, OnMariaDB):
    def test_two_at_once(self) -> None:
        """Another prune, or a server that cleans up, may be at the same rows."""
        room = self.fill("lobby", *range(100))
        self.pruning.move(room, 100)
        with ThreadPoolExecutor(2) as threads:
            for one in [threads.submit(self.prune, room, 100) for _ in range(2)]:
                one.result(20)
        self.assertEqual(self.ids("lobby"), [100])
        self.assertEqual(self.stored("messages"), 1)


class PrunedMySQL(PrunedMariaDB):
    kind = MySQL
