"""Real clients and a real server with a bad network between them: each message once, in one order."""

from __future__ import annotations

import io
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.trial.unittest import TestCase

from cli import Client
from cli.attempts import Threads
from cli.inbox import Inbox
from cli.session import Session
from tests.chance import new_seed
from tests.processes import ServerProcess
from tests.proxy import Fate, Proxy

MESSAGES = 40  # of each writer
WRITERS = 3


def broken(chance: random.Random) -> Fate:
    """Cut each connection soon, at any byte, in either direction."""
    return Fate(cut_up=chance.randrange(150, 4000), cut_down=chance.randrange(300, 12_000))


def wide(chance: random.Random) -> Fate:
    """Cut each connection somewhere in the middle of contents, at any byte, in either direction."""
    return Fate(cut_up=chance.randrange(200, 900_000), cut_down=chance.randrange(400, 900_000))


class BadNetworkCase(TestCase):
    timeout = 60
    fate = staticmethod(broken)

    def setUp(self) -> None:
        self.server = ServerProcess()
        self.addCleanup(self.server.close)
        self.server.start()
        assert not isinstance(self.server.address, str)
        self.seed = new_seed()
        self.proxy = Proxy(self.server.address, self.fate, random.Random(self.seed))
        self.proxy.start()
        self.addCleanup(self.proxy.close)

    async def connect(self, user: str) -> Client:
        host, port = self.proxy.address
        session = Session(user, Inbox(), rooms={"lobby": 0}, client=user, in_thread=Threads(reactor))
        client = Client(TCP4ClientEndpoint(reactor, host, port), session, reactor, pause=lambda _: 0.02)
        self.addCleanup(client.close)
        return await client.start()


class BadNetwork(BadNetworkCase):
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


class BadNetworkForContents(BadNetworkCase):
    """Files, a stream and texts go up at once, beside messages; all of them come down again."""

    fate = staticmethod(wide)

    def setUp(self) -> None:
        super().setUp()
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def stream(self, data: bytes) -> Callable[[int], bytes]:
        """Return what reads ``data`` in pieces of any size."""
        chance, source = random.Random(self.seed), io.BytesIO(data)
        return lambda size: source.read(chance.randrange(1, min(size, 300_000)))

    async def up_and_down(self) -> None:
        chance = random.Random(self.seed)
        contents = {name: chance.randbytes(chance.randrange(1_000_000, 3_000_000)) for name in ("a", "b", "stream")}
        text = "é" * 700_000
        for name in ("a", "b"):
            (self.folder / name).write_bytes(contents[name])
        writer = await self.connect("writer")
        sent = [
            writer.send_file(self.folder / "a"),
            writer.send_file(self.folder / "b"),
            writer.send_stream(self.stream(contents["stream"]), name="stream"),
            writer.send_msg(text),
            *(writer.send_msg(f"{number}") for number in range(MESSAGES)),
        ]
        await gatherResults(sent)
        reader = await self.connect("reader")
        messages = [await reader.read_msg() for _ in sent]
        self.assertEqual([m.text for m in messages if m.size is None], [f"{number}" for number in range(MESSAGES)])
        large = {message.name: message for message in messages if message.size is not None}
        self.assertEqual(set(large), {"a", "b", "stream", None})
        await gatherResults([reader.save(large[name].id, self.folder / f"{name} again") for name in (*contents, None)])
        for name, content in contents.items():
            self.assertEqual((self.folder / f"{name} again").read_bytes(), content)
        self.assertEqual((self.folder / "None again").read_text(), text)
        self.assertGreater(self.proxy.cuts, 10)

    def test_contents_arrive_whole(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self.up_and_down())
