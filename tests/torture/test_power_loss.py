"""A power cut takes what the disk had not got. So: first the sync returns, then anybody is told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import closing
from typing import Final

from tests.processes import ServerProcess
from tests.torture.case import TortureCase, mariadb, shown
from tests.torture.strace import SYNCS, WRITES, Call, TracedServer, calls, traced

MESSAGES: Final = 20


class SyncedFirst(TortureCase):
    def test_on_sqlite(self) -> None:
        server = self.stack.enter_context(TracedServer())
        self.say_one_at_a_time(server)
        trace = calls(server.trace)
        self.assert_synced_first("chat.db-wal", trace, trace)

    def test_on_mariadb(self) -> None:
        database, url = mariadb()
        server = self.stack.enter_context(TracedServer(shown(url)))
        database.kill()
        database.start(*traced(to=server.folder / "database"))
        try:
            self.say_one_at_a_time(server)
        finally:
            database.kill()
            database.start()
        self.assert_synced_first("ib_logfile0", calls(server.folder / "database"), calls(server.trace))

    def say_one_at_a_time(self, server: ServerProcess) -> None:
        """Have ann and bob say something in turn, each when both have seen what the other said."""
        ann, bob = (self.stack.enter_context(closing(server.connect())) for _ in range(2))
        ann.login("ann", rooms={"lobby": 0})
        bob.login("bob", rooms={"lobby": 0})
        for number in range(1, MESSAGES + 1):
            self.assertEqual((ann, bob)[number % 2].store(f"message {number}"), number)
            ann.read("message", id=number)
            bob.read("message", id=number)
        self.assertEqual(server.terminate(), 0)

    def assert_synced_first(self, file: str, database: Sequence[Call], server: Sequence[Call]) -> None:
        """See that before each message is told of, it is written to the database's ``file``, and that is synced."""
        kept = [call for call in database if call.path.endswith(file)]
        told_before = 0.0
        for number in range(1, MESSAGES + 1):
            sign = re.compile(rf"""\\"ack\\".*\\"id\\":{number}}}|\\nmessage\ {number},""")
            told = [call.began for call in server if "socket:" in call.path and sign.search(call.rest)]
            self.assertEqual(len(told), 3, f"one ack and two messages {number}")
            written = [call.ended for call in kept if call.name in WRITES and told_before < call.began < told[0]]
            self.assertTrue(written, f"message {number} was not written to {file} before it was told of")
            synced = [
                call.ended for call in kept if call.name in SYNCS and call.began >= written[0] and call.ended <= told[0]
            ]
            self.assertTrue(synced, f"message {number} was written to {file}, but not synced before it was told of")
            told_before = told[-1]


class NotDurable(TortureCase):
    def test_a_database_that_does_not_sync_is_told_of_at_the_start(self) -> None:
        database, url = mariadb()
        variable = "innodb_flush_log_at_trx_commit"
        for value, lines in ((2, 1), (0, 1), (1, 0)):
            database.run(f"SET GLOBAL {variable} = {value}")
            try:
                with ServerProcess(db=shown(url)) as server:
                    self.assertEqual(server.terminate(), 0)
            finally:
                database.run(f"SET GLOBAL {variable} = 1")
            told = [line for line in server.log if variable in line]
            self.assertEqual(len(told), lines, server.log)
            for line in told:
                self.assertIn(" warn ", line)
