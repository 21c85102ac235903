"""A clock that jumps: only ids order, and nothing waits for a time that was a day ago."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from tests.processes import SERVER, ServerProcess
from tests.torture.case import TortureCase, mariadb, shown

PROGRAM = (SERVER[0], str(Path(__file__).with_name("jumping_server.py")))


class JumpingClock(TortureCase):
    def test_nothing_is_lost_and_uploads_go_on(self) -> None:
        server = self.stack.enter_context(ServerProcess(command=PROGRAM))
        talk = self.talk(server, writers=20, uploaders=1)
        for _ in range(12):
            talk.run_for(0.1)
            talk.drop_somebody()
        talk.finish()
        self.judge(talk.people, server, "a clock that jumps")

    def test_who_comes_and_goes_is_told_all_the_same(self) -> None:
        server = self.stack.enter_context(ServerProcess("--ping", "1", command=PROGRAM))
        ann, bob = (self.stack.enter_context(closing(server.connect())) for _ in range(2))
        ann.login("ann")
        bob.login("bob")
        while "bob" not in ann.read("presence").header.get("joined", ()):
            pass
        for _ in range(2):  # nobody is taken for gone, either
            ann.read("ping", timeout=20)
            bob.read("ping", timeout=20)

    def test_a_database_that_was_away_is_tried_again(self) -> None:
        database, url = mariadb()
        server = self.stack.enter_context(ServerProcess(db=shown(url), command=PROGRAM))
        ann = self.stack.enter_context(closing(server.connect()))
        ann.login("ann", client="one")
        database.kill()
        try:
            ann.send("later")
            ann.read("notice", code="storage_down", timeout=20)
        finally:
            database.start()
        ann.read("ack", timeout=20)
