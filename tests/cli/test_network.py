"""Real clients and a real server with a bad network between them: each message once, in one order."""

from __future__ import annotations

import random
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.trial.unittest import TestCase

from cli import Client
from cli.inbox import Inbox
from cli.session import Session
from tests.processes import ServerProcess
from tests.proxy import Fate, Proxy

MESSAGES = 40  # of each writer
WRITERS = 3


def broken(chance: random.Random) -> Fate:
    """Cut each connection soon, at any byte, in either direction."""
    return Fate(cut_up=chance.randrange(150, 4000), cut_down=chance.randrange(300, 12_000))


class BadNetwork(TestCase):
    timeout = 60

    def setUp(self) -> None:
        self.server = ServerProcess()
        self.addCleanup(self.server.close)
        self.server.start()
        assert not isinstance(self.server.address, str)
        self.proxy = Proxy(self.server.address, broken)
        self.proxy.start()
        self.addCleanup(self.proxy.close)

    async def connect(self, user: str) -> Client:
        host, port = self.proxy.address
        session = Session(user, Inbox(), rooms={"lobby": 0}, client=user)
        client = Client(TCP4ClientEndpoint(reactor, host, port), session, reactor, pause=lambda _: 0.02)
        self.addCleanup(client.close)
        return await client.start()

    async def write(self, user: str) -> list[str]:
        client = await self.connect(user)
        texts = [f"{user} {number} {'x' * (number * 7 % 90)}" for number in range(MESSAGES)]
        await gatherResults([client.send_msg(text) for text in texts])
        return texts

    async def read(self, user: str) -> list[tuple[int, str]]:
        client = await self.connect(user)
        found = [await client.read_msg() for _ in range(WRITERS * MESSAGES)]
        return [(message.id, message.text) for message in found]

    async def talk(self) -> None:
        every: Any = await gatherResults(
            [
                *(Deferred.fromCoroutine(self.write(f"writer{number}")) for number in range(WRITERS)),
                *(Deferred.fromCoroutine(self.read(f"reader{number}")) for number in range(3)),
            ]
        )
        written, seen = every[:WRITERS], every[WRITERS:]
        self.assertEqual([id for id, _ in seen[0]], list(range(1, WRITERS * MESSAGES + 1)))
        self.assertEqual(seen, [seen[0]] * 3)
        for texts in written:
            self.assertEqual([text for _, text in seen[0] if text in set(texts)], texts)
        self.assertGreater(self.proxy.cuts, 10)

    def test_each_once_and_in_one_order(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self.talk())
