"""A server whose database stops, dies and comes back: a real MariaDB, a real MySQL."""

from __future__ import annotations

import signal
import tempfile
import time
from contextlib import closing
from unittest import TestCase

from tests.mariadb import MariaDB
from tests.mysql import MySQL
from tests.processes import ServerProcess, stopped


class MariaDBAway(TestCase):
    kind: type[MariaDB] = MariaDB

    def setUp(self) -> None:
        self.database = self.kind.shared()
        self.db = self.database.url(self.database.create()).render_as_string(hide_password=False)

    def test_a_shutdown_does_not_wait_for_a_database_that_is_stuck(self) -> None:
        with ServerProcess("--grace", "2", db=self.db) as server, closing(server.connect()) as client:
            client.login("ann", client="one")
            with stopped(self.database.pid):
                client.send("never stored")
                client.say("ping", ref=1)
                client.read("pong", ref=1)  # so the send was read too
                began = time.monotonic()
                server.signal(signal.SIGTERM)
                self.assertEqual(client.frames()[-1].header, {"type": "bye", "reason": "shutdown"})
                self.assertEqual(client.acked, 0)
                self.assertEqual(server.wait(), 0)
                self.assertLess(time.monotonic() - began, 15)  # an answer would have been waited for 30 s

    def test_its_password_may_stand_in_a_file(self) -> None:
        url = self.database.url(self.database.create())
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(f"{url.password}\n")
            file.flush()
            db = url.set(password=None).render_as_string()
            variables = {"CHAT_DB_PASSWORD_FILE": file.name}
            with ServerProcess(db=db, variables=variables) as server, closing(server.connect()) as client:
                client.login("ann")
                self.assertEqual(client.store("hello"), 1)

    def test_one_that_dies_is_told_and_waited_for(self) -> None:
        with ServerProcess(db=self.db) as server, closing(server.connect()) as client:
            client.login("ann", client="one")
            self.database.kill()
            try:
                client.send("later")
                self.assertEqual(client.read("notice")["code"], "storage_down")
                client.say("part", b"much later", upload=1, offset=0)  # nobody knows whether there is one
                client.say("send", seq=2, upload=1, size=10)
                client.seq = 2
                client.say("who", ref=1)
                self.assertEqual(client.read("error", ref=1)["code"], "storage_down")
                client.say("ping", ref=2)
                client.read("pong", ref=2)
            finally:
                self.database.start()
            self.assertEqual(client.read("notice", timeout=30)["code"], "storage_up")
            client.read("ack", seq=1)
            client.read("ack", seq=2)


class MySQLAway(MariaDBAway):
    kind = MySQL
