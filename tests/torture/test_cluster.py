"""Three servers on one MariaDB; a random one is killed again and again, and people wander from one to the other."""

from __future__ import annotations

import threading
from typing import Final

from tests.chance import times
from tests.plain_client import Address
from tests.processes import ServerProcess
from tests.torture.case import TortureCase, mariadb, shown

CLUSTER_KILLS = times("CLUSTER_KILLS", 3)
WANDER: Final = 5  # people who go elsewhere between two kills


class Cluster(TortureCase):
    def test_nothing_is_lost_and_nothing_is_there_twice(self) -> None:
        _, url = mariadb()
        servers = [self.stack.enter_context(ServerProcess("--auth", "accounts", db=shown(url))) for _ in range(3)]

        def somewhere() -> Address:
            return self.chance.choice(servers).address

        talk = self.talk(servers[0], address=somewhere, writers=30, talks=4, readers=6, uploaders=2, rate=300)
        for _ in range(CLUSTER_KILLS):
            talk.run_for(self.chance.uniform(0.3, 0.8))
            for _ in range(WANDER):
                talk.drop_somebody()
            talk.run_for(self.chance.uniform(0, 0.3))
            killed = self.chance.choice(servers)
            killed.kill()
            starting = threading.Thread(target=killed.start)
            starting.start()
            talk.run(lambda starting=starting: not starting.is_alive())  # type: ignore[misc]
            self.assertIsNone(killed.status)
        talk.finish()
        logins = sum(person.logins for person in talk.people)
        for server in servers[1:]:
            self.assertEqual([line for line in server.log if "Traceback" in line or " critical " in line], [])
        self.judge(talk.people, servers[0], f"{CLUSTER_KILLS} kills, each of one of three servers; {logins} logins")
        for server in servers[1:]:
            self.assertEqual(server.terminate(), 0)
