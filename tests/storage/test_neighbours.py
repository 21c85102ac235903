"""What processes on one database tell each other: names, who is where, changes, and which of them live."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import patch

from sqlalchemy import text

from storage import (
    Auth,
    Beat,
    LoggedIn,
    Login,
    Logout,
    Neighbour,
    Outcome,
    Piece,
    Presence,
    Refusal,
    Return,
    Storage,
    StorageDown,
    UploadKey,
    database,
)
from storage.changes import Change, Deleted, Here, Kicked, Replaced
from storage.changes import Presence as Moved
from storage.database import connect, parse
from storage.neighbours import DEAD, OVER
from storage.signing import sign
from tests.storage.databases import Cases, Journal, OnMariaDB, OnSQLite, send

HERS, MINE = b"h" * 32, b"m" * 32
ONE, TWO = b"1" * 32, b"2" * 32


class Neighbouring(Cases):
    def setUp(self) -> None:
        super().setUp()
        self.here, self.there = self.open(), self.open()
        self.journals = [Journal(self.here), Journal(self.there)]

    def run_all(self, statement: str, **values: Any) -> None:
        engine = connect(parse(self.url))
        self.addCleanup(engine.dispose)
        with engine.begin() as connection:
            connection.execute(text(statement), values)

    def say_last_heard(self, storage: Storage, seconds: int) -> None:
        """Have it be so long ago that a storage's server gave a sign of life."""
        ago = {
            "sqlite": f"datetime('now', '-{seconds} seconds')",
            "mysql": f"NOW() - INTERVAL {seconds} SECOND",
        }[self.url.get_backend_name()]
        self.run_all(f"UPDATE servers SET beat_at = {ago} WHERE id = :id", id=storage.neighbours.own)

    def neighbour(self, of: Storage, seen_by: Storage) -> Neighbour | None:
        return {it.id: it for it in seen_by.neighbours.all()}.get(of.neighbours.own)

    def told(self, by: Storage) -> list[Change | None]:
        return [change for _, change in self.here.neighbours.changes(by.neighbours.own, 0)]

    def log_in(self, server: int, login: Login) -> str:
        """Return the name that is given, or why none is."""
        [outcome] = self.journals[server].commit(login)
        assert isinstance(outcome, LoggedIn | Refusal)
        return outcome.name if isinstance(outcome, LoggedIn) else outcome.code

    # Names.

    def test_a_name_is_taken_on_every_server(self) -> None:
        self.assertEqual(self.log_in(0, Login("Ann", ONE, HERS, 1)), "Ann")
        for server in (0, 1):
            for number, (client, key) in enumerate([(None, None), (TWO, None), (None, MINE), (TWO, MINE)], 10):
                self.assertEqual(self.log_in(server, Login("ann", client, key, number)), "name_taken")
            self.assertEqual(self.log_in(server, Login("ANN", None, HERS, 20)), "Ann")
            self.assertEqual(self.log_in(server, Login("ann", ONE, None, 21)), "Ann")

    def test_it_is_free_when_the_last_has_logged_out(self) -> None:
        self.log_in(0, Login("ann", None, HERS, 1))
        self.log_in(1, Login("ann", None, HERS, 1))
        self.journals[0].commit(Logout(1))
        self.assertEqual(self.log_in(0, Login("ann", None, None, 2)), "name_taken")
        self.journals[1].commit(Logout(1))
        self.assertEqual(self.log_in(0, Login("ann", None, None, 3)), "ann")

    def test_within_one_batch_in_its_order(self) -> None:
        ann, other = Login("ann", None, None, 1), Login("ann", None, None, 2)
        outcomes = self.journals[0].commit(ann, other, Logout(1), other)
        self.assertEqual([type(it) for it in outcomes], [LoggedIn, Refusal, bool, LoggedIn])

    def test_of_many_at_once_one_gets_it(self) -> None:
        journals = [Journal(self.open()) for _ in range(4)]

        def log_in(journal: Journal) -> list[Outcome]:
            outcomes = []
            for number in range(20):
                batch = journal.batch(Login(f"user{number}", None, None, number))
                while True:
                    try:
                        outcomes += journal.storage.commit(batch)
                        break
                    except StorageDown:
                        continue
            return outcomes

        with ThreadPoolExecutor() as threads:
            found = list(threads.map(log_in, journals))
        for of_one in zip(*found, strict=True):
            self.assertEqual(sorted(type(it).__name__ for it in of_one), ["LoggedIn", *["Refusal"] * 3])

    def test_the_same_client_elsewhere_is_told(self) -> None:
        self.log_in(0, Login("ann", ONE, None, 1))
        self.log_in(0, Login("ann", ONE, None, 2))  # that its own server sees
        self.assertEqual(self.told(self.here), [])
        self.log_in(1, Login("ann", ONE, None, 1))
        self.assertEqual(self.told(self.there), [Replaced("ann", ONE, 3)])

    def test_one_that_is_lost_replaces_nobody(self) -> None:
        """It was said first, and waited longer for the database; the other one's server may have been forgotten since.

        Who goes on there with an upload was told that it was forgotten.
        """
        [ann] = self.journals[0].commit(Login("ann", ONE, None, 1))
        assert isinstance(ann, LoggedIn)
        late = Login("ann", ONE, None, 1, gone=True)
        for silent_for in (0, DEAD + 1):
            self.say_last_heard(self.here, silent_for)
            self.there.neighbours.forget(self.here.neighbours.own)
            self.assertEqual(self.log_in(1, late), "failed")
        self.assertEqual(self.told(self.there), [])
        upload = UploadKey("ann", ONE, 1)
        self.assertEqual(self.journals[0].commit(Piece(ann.sender, upload, 0, b"some")), [True])

    def test_one_that_is_lost_for_good_is_let_in(self) -> None:
        """Without a secret it cannot say again what it sent: that is to be stored."""
        self.assertEqual(self.log_in(0, Login("ann", None, None, 1, gone=True)), "ann")

    # Who is where.

    def test_who_is_where(self) -> None:
        room = self.journals[0].open()
        for came, went in ((["ann", "bob"], []), (["cy"], ["ann"]), (["bob"], [])):
            self.journals[0].commit(Presence(room.key, room.name, came, went))
        present = self.there.neighbours.present(self.here.neighbours.own)
        self.assertEqual(sorted(present), [(room.key, "bob"), (room.key, "cy")])
        self.assertEqual(self.told(self.here)[1], Moved(room.key, "lobby", ["cy"], ["ann"]))

    def test_a_batch_moves_on(self) -> None:
        room = self.journals[0].open()
        before = self.neighbour(self.here, self.there)
        self.journals[0].commit(send(room))
        after = self.neighbour(self.here, self.there)
        assert before is not None
        assert after is not None
        self.assertGreater(after.batch, before.batch)
        self.assertEqual(self.there.neighbours.spans([room.key, 99]), [(room.key, 1, 1)])

    # Living and dying.

    def test_the_dead_are_forgotten(self) -> None:
        room = self.journals[1].open()
        self.journals[1].commit(Return(), Login("ann", None, None, 1), Presence(room.key, "lobby", ["ann"], []))
        self.say_last_heard(self.there, DEAD - 1)
        self.here.neighbours.forget(self.there.neighbours.own)
        self.assertEqual(self.log_in(0, Login("ann", None, None, 1)), "name_taken")
        self.say_last_heard(self.there, DEAD + 1)
        self.here.neighbours.forget(self.there.neighbours.own)
        self.assertEqual(self.log_in(0, Login("ann", None, None, 1)), "ann")
        self.assertEqual(self.here.neighbours.present(self.there.neighbours.own), [])
        dead = self.neighbour(self.there, self.here)
        assert dead
        self.assertFalse(dead.here)
        self.assertNotEqual(self.told(self.there), [])  # others may have yet to hear it
        self.say_last_heard(self.there, OVER + 1)
        self.here.neighbours.forget(self.there.neighbours.own)
        self.assertIsNone(self.neighbour(self.there, self.here))
        self.assertEqual(self.told(self.there), [])

    def test_one_that_leaves_is_forgotten_at_once(self) -> None:
        self.journals[1].commit(Return(), Login("ann", None, None, 1))
        self.there.neighbours.leave()
        self.assertEqual(self.log_in(0, Login("ann", None, None, 1)), "ann")

    def test_every_batch_is_a_sign_of_life(self) -> None:
        self.journals[0].commit(Return())
        self.say_last_heard(self.here, 100)
        self.journals[0].commit(Beat())
        own = self.neighbour(self.here, self.here)
        assert own
        self.assertLess(own.silent_for, DEAD)
        self.assertTrue(own.here)

    def test_who_was_forgotten_returns_with_the_names_that_are_left(self) -> None:
        journal, room = self.journals[1], self.journals[1].open()
        logins = [Login("ann", ONE, None, 1), Login("bob", None, None, 2), Login("cy", TWO, None, 3)]
        outcomes = journal.commit(Return(), *logins)
        epochs = [it.sender.epoch if isinstance(it, LoggedIn) and it.sender else 0 for it in outcomes[1:]]
        self.say_last_heard(self.there, DEAD + 1)
        self.here.neighbours.forget(self.there.neighbours.own)
        self.log_in(0, Login("bob", None, None, 1))
        self.log_in(0, Login("cy", TWO, None, 2))
        entry = Return(list(zip(logins, epochs, strict=True)), [(room.key, "ann")])
        self.assertEqual(journal.commit(entry), [{2: "name_taken", 3: "replaced"}])
        self.assertEqual(self.log_in(0, Login("ann", None, None, 3)), "name_taken")
        self.assertEqual(self.here.neighbours.present(self.there.neighbours.own), [(room.key, "ann")])
        self.assertEqual(self.told(self.there)[-1], Here())
        back = self.neighbour(self.there, self.here)
        assert back
        self.assertTrue(back.here)

    def test_each_says_who_may_log_in_there(self) -> None:
        before = self.neighbour(self.there, self.here)
        self.assertIsNone(before and before.auth)
        self.journals[1].commit(Return(auth=Auth.CLOSED))
        there = self.neighbour(self.there, self.here)
        assert there
        self.assertEqual(there.auth, Auth.CLOSED)

    # Telling.

    def test_changes_are_numbered_without_gaps(self) -> None:
        changes = [Deleted(1, number, "root") for number in range(5)]
        engine = connect(parse(self.url))
        self.addCleanup(engine.dispose)
        for batch, told in enumerate((changes[:2], [], changes[2:]), 1):
            with engine.begin() as connection:
                sign(connection, 7, batch, told)
        self.assertEqual(self.here.neighbours.changes(7, 1), list(enumerate(changes, 1))[1:])
        [seen] = [it for it in self.here.neighbours.all() if it.id == 7]
        self.assertEqual((seen.batch, seen.last_change, seen.here), (3, 5, False))

    def test_what_only_a_newer_program_says(self) -> None:
        self.run_all("""INSERT INTO changes (server, seq, what) VALUES (7, 1, '{"type": "sung"}')""")
        self.assertEqual(self.here.neighbours.changes(7, 0), [(1, None)])

    def test_own_changes_are_removed_in_time(self) -> None:
        engine = connect(parse(self.url))
        self.addCleanup(engine.dispose)
        with engine.begin() as connection:
            sign(connection, self.here.neighbours.own, 1, [Kicked("a"), Kicked("b"), Kicked("c")])
            sign(connection, 7, 1, [Kicked("d")])
        self.here.neighbours.trim(2)
        self.assertEqual(self.told(self.here), [Kicked("c")])
        self.assertEqual(self.here.neighbours.changes(7, 0), [(1, Kicked("d"))])


class NeighbouringSQLite(Neighbouring, OnSQLite):
    def test_whoever_served_before_is_no_more(self) -> None:
        self.log_in(1, Login("ann", None, None, 1))
        self.journals[0].commit(Return())
        self.assertEqual(self.log_in(0, Login("ann", None, None, 1)), "ann")
        self.assertIsNone(self.neighbour(self.there, self.here))


class NeighbouringMariaDB(Neighbouring, OnMariaDB):
    def test_one_that_is_frozen_holds_up_nobody_for_long(self) -> None:
        room = self.journals[0].open()
        with patch.object(database, "FROZEN", 1):
            frozen = Storage(self.url)
            self.addCleanup(frozen.close)
            frozen.serve()
            with frozen._writer.connect() as connection:
                connection.execute(text("SELECT * FROM rooms FOR UPDATE"))
                self.assertEqual(self.journals[0].commit(send(room)), [1])  # a lock is waited for ten seconds
                connection.invalidate()
