"""One SQLite file, one server; on a shared database as many as one likes."""

from __future__ import annotations

import time
from contextlib import closing
from unittest import TestCase

from sqlalchemy import create_engine, text

from storage import Storage
from storage.signing import sign
from tests.processes import ServerProcess


class SecondServer(TestCase):
    def test_on_sqlite_it_is_refused_with_a_line(self) -> None:
        with ServerProcess() as first:
            second = ServerProcess(db=first.db)
            self.addCleanup(second.close)
            with self.assertRaisesRegex(AssertionError, "another server serves .*chat.db; .*--db") as refused:
                second.start()
            self.assertEqual(second.status, 1)
            self.assertNotIn("Traceback", str(refused.exception))
            with closing(first.connect()) as client:
                client.login("ann")

    def test_the_next_one_may_also_where_the_first_was_killed(self) -> None:
        with ServerProcess() as server:
            server.kill()
            server.start()

    def test_other_programs_are_not_refused(self) -> None:
        with ServerProcess() as server:
            storage = Storage(server.db)
            self.addCleanup(storage.close)
            storage.prepare()
            storage.save_msg("lobby", "ann", "hello")
            self.assertEqual([message.text for message in storage.get_all("lobby")], ["hello"])

    def test_what_other_programs_do_is_heard(self) -> None:
        with ServerProcess() as server, closing(server.connect()) as client:
            client.login("ann", rooms={"lobby": 0})
            storage = Storage(server.db)
            self.addCleanup(storage.close)
            for number in range(3):
                storage.save_msg("lobby", "bob", f"{number}")
            self.assertEqual([it.text for it in client.read_messages("lobby", 3)], ["0", "1", "2"])
            engine = create_engine(server.db)
            self.addCleanup(engine.dispose)
            with engine.begin() as connection:
                connection.execute(text("UPDATE rooms SET first_id = 3"))
                sign(connection, 7, 1)
            until = time.monotonic() + 10
            while client.join()["first_id"] != 3:
                self.assertLess(time.monotonic(), until)
