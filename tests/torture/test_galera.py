"""Three servers, each on a node of its own of a Galera cluster, whose nodes die, are cut off and lag."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from tests.chance import times
from tests.galera import Galera, Node, settled
from tests.plain_client import Address
from tests.processes import ServerProcess
from tests.torture.case import TortureCase, shown

NODE_KILLS = times("NODE_KILLS", 1)
NODE_CUTS = times("NODE_CUTS", 1)
LAGS = times("LAGS", 3)
WANDER: Final = 3  # people who go elsewhere now and then


class GaleraTorture(TortureCase):
    def setUp(self) -> None:
        super().setUp()
        self.nodes = self.stack.enter_context(Galera())
        name = self.nodes[0].create()
        self.urls = [node.url(name, tcp=True) for node in self.nodes]
        self.servers = [
            self.stack.enter_context(ServerProcess("--auth", "accounts", db=shown(url))) for url in self.urls
        ]
        self.served = list(self.servers)  # by those that can serve
        self.talk_ = self.talk(
            self.servers[0], address=self.somewhere, writers=20, talks=3, readers=6, uploaders=1, rooms=5, rate=100
        )

    def somewhere(self) -> Address:
        return self.chance.choice(self.served).address

    def wander(self, seconds: float) -> None:
        """Talk for so long; some go to another server meanwhile."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for _ in range(WANDER):
                self.talk_.drop_somebody()
            self.talk_.run_for(0.3)

    def meanwhile(self, function: Callable[[], None]) -> None:
        """Talk while ``function`` works."""
        working = threading.Thread(target=function)
        working.start()
        while working.is_alive():
            self.wander(0.3)

    def leave(self, number: int) -> None:
        """Nobody goes to that server, and who is there and says something will not wait for it."""
        left = self.servers[number]
        self.served.remove(left)
        for person in (*self.talk_.writers, *self.talk_.talkers, *self.talk_.uploaders):
            if person.client is not None and person.client.address == left.address:
                person.drop()

    def end(self, what: str) -> None:
        self.talk_.finish()
        for server in self.servers:
            self.assertEqual([line for line in server.log if "Traceback" in line or " critical " in line], [])
        logins = sum(person.logins for person in self.talk_.people)
        self.judge(self.talk_.people, self.servers[0], f"{what}; {logins} logins", db=shown(settled(self.urls[0])))
        for server in self.servers[1:]:
            self.assertEqual(server.terminate(), 0)

    def number(self) -> int:
        return self.chance.randrange(len(self.nodes))

    def test_a_node_is_killed_and_joins_again(self) -> None:
        for _ in range(NODE_KILLS):
            self.wander(self.chance.uniform(0, 0.5))  # some are only logging in
            killed = self.number()
            self.nodes[killed].kill()
            self.leave(killed)
            self.wander(3)
            self.meanwhile(self.nodes[killed].start)
            self.served.append(self.servers[killed])
        self.end(f"{NODE_KILLS} kills of a node")

    def test_a_node_is_cut_off(self) -> None:
        """It knows of itself that it may not answer any more: 1047."""
        for _ in range(NODE_CUTS):
            self.wander(0.5)
            number = self.number()
            node = self.nodes[number]
            node.cut_off(True)
            self.leave(number)
            self.talk_.run(lambda node=node: not node.answers())  # type: ignore[misc]
            self.wander(3)
            node.cut_off(False)
            self.talk_.run(node.answers)
            self.served.append(self.servers[number])
        self.end(f"{NODE_CUTS} times a node was cut off")

    def test_a_node_lags(self) -> None:
        for _ in range(LAGS):
            self.wander(0.5)
            self.meanwhile(lambda: _lag(self.nodes[self.number()], self.chance.uniform(0.5, 1.5)))
        self.end(f"{LAGS} times a node lagged")


def _lag(node: Node, seconds: float) -> None:
    """Have the node apply nothing for so long, while the others go on."""
    node.run("SET GLOBAL wsrep_desync = ON")
    with node.locked():
        time.sleep(seconds)
    node.run("SET GLOBAL wsrep_desync = OFF")
