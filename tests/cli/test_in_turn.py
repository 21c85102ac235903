"""A client whose chat has several servers goes from one to the next."""

from __future__ import annotations

from typing import Any, cast
from unittest import TestCase as PlainCase

from twisted.internet import reactor
from twisted.internet.defer import Deferred, fail
from twisted.internet.error import ConnectError
from twisted.trial.unittest import TestCase

from cli import Client
from cli.addresses import addresses
from cli.in_turn import InTurn
from tests.mariadb import MariaDB
from tests.processes import ServerProcess


class Addresses(PlainCase):
    def test_some(self) -> None:
        for said, meant in {
            "a": [("a", 7)],
            "a,b:8": [("a", 7), ("b", 8)],
            "[::1]:9, 10.0.0.1": [("::1", 9), ("10.0.0.1", 7)],
            "::1": [("::1", 7)],
        }.items():
            with self.subTest(said):
                self.assertEqual(addresses(said, 7), meant)

    def test_none(self) -> None:
        for said in ("", "a,", "a,:8", "a:0", "a:65536", "a:b", "[::1"):
            with self.subTest(said), self.assertRaises(ValueError):
                addresses(said, 7)


class Refusing:
    def __init__(self, name: str, tried: list[str]) -> None:
        self._name = name
        self._tried = tried

    def connect(self, factory: Any) -> Deferred[Any]:
        self._tried.append(self._name)
        return fail(ConnectError())


class InTurnTests(TestCase):
    timeout = 60

    async def test_each_attempt_goes_to_the_next(self) -> None:
        tried: list[str] = []
        endpoint = InTurn(cast(Any, Refusing(name, tried)) for name in "abc")
        for _ in range(4):
            await self.assertFailure(endpoint.connect(cast(Any, None)), ConnectError)
        self.assertEqual(tried, ["a", "b", "c", "a"])

    async def test_a_client_goes_on_at_the_other_server(self) -> None:
        database = MariaDB.shared()
        db = database.url(database.create()).render_as_string(hide_password=False)
        servers = [ServerProcess(db=db) for _ in range(2)]
        for server in servers:
            self.addCleanup(server.close)
            server.start()
        first, second = (("127.0.0.1", server.port) for server in servers)
        client = await Client.new("ann", *first, others=[second], rooms={"lobby": 0}, reactor=reactor)
        self.addCleanup(client.close)
        self.assertEqual(await client.send_msg("one"), 1)
        servers[0].kill()
        self.assertEqual(await client.send_msg("two"), 2)
        self.assertEqual([(await client.read_msg()).text for _ in range(2)], ["one", "two"])
