"""A database that is killed, whose answers get lost, or that will not have something, while fifty write."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from typing import Final

from tests.chance import times
from tests.processes import ServerProcess
from tests.torture.case import TortureCase, mariadb, shown
from tests.torture.commits import CommitProxy, Cut

DB_KILLS = times("DB_KILLS", 1)
CUTS = times("CUTS", 2)  # of each kind
POISON: Final = "this is poison"  # what the database will never take


class KilledDatabase(TortureCase):
    def test_people_wait_and_go_on(self) -> None:
        database, url = mariadb()
        server = self.stack.enter_context(ServerProcess(db=shown(url)))
        talk = self.talk(server, uploaders=2)
        uploading = 0
        talk.run(lambda: all(reader.here for reader in talk.readers))  # who is not in yet is not told what is away
        for _ in range(DB_KILLS):
            talk.run_for(self.chance.uniform(0.2, 0.8))
            uploading += any(uploader.is_uploading for uploader in talk.uploaders)
            database.kill()
            try:
                talk.drop_somebody()
                talk.run(lambda: all(reader.notices[-1:] == ["storage_down"] for reader in talk.readers))
                talk.run_for(self.chance.uniform(0, 0.5))
                talk.drop_somebody()
            finally:
                database.start()
            talk.run(lambda: all(reader.notices[-1] == "storage_up" for reader in talk.readers))
        talk.finish()
        self.judge(talk.people, server, f"{DB_KILLS} kills of MariaDB, {uploading} with an upload under way")
        for reader in talk.readers:
            self.assertEqual(reader.notices, ["storage_down", "storage_up"] * DB_KILLS)
            self.assertEqual(reader.logins, 1)


class LostAnswer(TortureCase):
    """The connection to the database breaks at a COMMIT: it happened, it did not, or it is happening."""

    def test_no_commit_is_lost_or_doubled(self) -> None:
        def cut(chance: random.Random) -> Cut | None:
            return chance.choice(list(Cut)) if cutting and chance.random() < 0.2 else None

        cutting = False
        database, url = mariadb()
        proxy = self.stack.enter_context(CommitProxy(("127.0.0.1", database.port), cut, self.chance))
        server = self.stack.enter_context(ServerProcess(db=shown(url.set(port=proxy.address[1]))))
        talk = self.talk(server, uploaders=2)
        cutting = True
        talk.run(lambda: all(proxy.made[kind] >= CUTS for kind in Cut), timeout=60 + 2 * CUTS)
        cutting = False
        cuts = ", ".join(f"{proxy.made[kind]} {kind.value}" for kind in Cut)
        talk.finish()
        self.judge(talk.people, server, f"{proxy.made.total()} cuts before MariaDB: {cuts}", db=shown(url))


class Poison(TortureCase):
    """What the database will never take is refused, and only that."""

    def test_on_mariadb(self) -> None:
        database, url = mariadb()
        server = self.stack.enter_context(ServerProcess(db=shown(url)))
        database.run(
            f"CREATE TRIGGER {url.database}.never BEFORE INSERT ON {url.database}.messages FOR EACH ROW"
            f" IF NEW.text LIKE '{POISON}%' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'never'; END IF"
        )
        self.poison(server)

    def test_on_sqlite(self) -> None:
        server = self.stack.enter_context(ServerProcess())
        with closing(sqlite3.connect(server.folder / "chat.db")) as database:
            database.execute(
                f"CREATE TRIGGER never BEFORE INSERT ON messages WHEN NEW.text LIKE '{POISON}%'"
                " BEGIN SELECT RAISE(ABORT, 'never'); END"
            )
        self.poison(server)

    def poison(self, server: ServerProcess) -> None:
        talk = self.talk(server, writers=20, poison=POISON)
        talk.run_for(1)
        talk.finish()
        for writer in talk.writers:
            for seq, said in enumerate(writer.said, 1):
                self.assertEqual(writer.refused.get(seq), "failed" if POISON in said.text else None, said)
        refused = sum(len(writer.refused) for writer in talk.writers)
        self.assertGreater(refused, 5)
        talk.finish()
        self.judge(talk.people, server, f"{refused} messages that the database would not take, among others")
        self.assertEqual([line for line in server.log if POISON in line][:1], [])  # why is logged, not what
