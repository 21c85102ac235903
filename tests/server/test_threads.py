"""Who reads while people talk rests behind it; who waits for what was read does not."""

from __future__ import annotations

from typing import Any, cast

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThreadPool
from twisted.trial.unittest import TestCase

from server import threads
from server.people import LULL, People
from server.threads import LONGEST, RESTS, RestingThreads


class RestingTests(TestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        people = People(self.clock)
        people.talked()
        self.pool = RestingThreads(1, "reader", people)
        self.did: list[object] = []
        self.patch(threads, "sleep", self.did.append)
        self.pool.start()

    def takes(self, seconds: float) -> None:
        """Let what is read next take so long."""
        times = iter([5.0, 5.0 + seconds])
        self.patch(threads, "monotonic", lambda: next(times))

    async def read(self) -> object:
        result = await deferToThreadPool(cast(Any, reactor), self.pool, self.looked, "what")
        self.pool.stop()  # when all is done
        return result

    def looked(self, at: str) -> str:
        self.did.append(at)
        return f"{at} it says"

    def test_as_long_as_that_took_and_longer(self) -> Deferred[None]:
        async def watch() -> None:
            self.takes(0.0078125)
            self.assertEqual(await self.read(), "what it says")
            self.assertEqual(self.did, ["what", RESTS * 0.0078125])

        return Deferred.fromCoroutine(watch())

    def test_not_for_long(self) -> Deferred[None]:
        async def watch() -> None:
            self.takes(30.0)
            await self.read()
            self.assertEqual(self.did, ["what", LONGEST])

        return Deferred.fromCoroutine(watch())

    def test_not_where_nobody_talks(self) -> Deferred[None]:
        async def watch() -> None:
            self.clock.advance(LULL)
            await self.read()
            self.assertEqual(self.did, ["what"])

        return Deferred.fromCoroutine(watch())
