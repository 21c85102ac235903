"""Who comes is let in a few at a time, so that those who are in have their turn."""

from __future__ import annotations

import socket
from typing import Any, cast

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock, deferLater
from twisted.trial.unittest import TestCase

from server.listening import AT_ONCE, Door

TURNS = 20  # of the reactor, in which a port without a door would have let in all


class DoorTests(TestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.came = 0
        factory = Factory.forProtocol(Protocol)
        build = factory.buildProtocol

        def counted(addr: Any) -> Any:
            self.came += 1
            return build(addr)

        factory.buildProtocol = counted  # type: ignore[method-assign]
        factory.noisy = False
        self.pause = 0.0
        door = Door(factory, self.clock, lambda: self.pause)
        self.port = cast(Any, reactor).listenTCP(0, door, 200, "127.0.0.1")
        door.stands_at(self.port)
        self.addCleanup(lambda: self.port.stopListening())

    async def turns(self) -> None:
        for _ in range(TURNS):
            await deferLater(reactor, 0)

    def come(self, count: int) -> None:
        for _ in range(count):
            self.addCleanup(socket.create_connection(("127.0.0.1", self.port.getHost().port)).close)

    def test_a_few_at_a_time(self) -> Deferred[None]:
        async def watch() -> None:
            self.come(3 * AT_ONCE - 1)
            seen = []
            for _ in range(4):
                await self.turns()
                seen.append(self.came)
                self.clock.advance(0)
            self.assertEqual(seen, [AT_ONCE, 2 * AT_ONCE, 3 * AT_ONCE - 1, 3 * AT_ONCE - 1])
            self.come(1)
            await self.turns()
            self.assertEqual(self.came, 3 * AT_ONCE)

        return Deferred.fromCoroutine(watch())

    def test_after_a_pause(self) -> Deferred[None]:
        async def watch() -> None:
            self.pause = 1.0
            self.come(2 * AT_ONCE)
            await self.turns()
            self.clock.advance(0.5)
            await self.turns()
            self.assertEqual(self.came, AT_ONCE)
            self.clock.advance(0.5)
            await self.turns()
            self.assertEqual(self.came, 2 * AT_ONCE)

        return Deferred.fromCoroutine(watch())

    def test_a_port_that_was_closed_meanwhile_stays_closed(self) -> Deferred[None]:
        async def watch() -> None:
            self.come(AT_ONCE)
            await self.turns()
            await self.port.stopListening()
            self.clock.advance(0)
            await self.turns()
            self.assertEqual(self.came, AT_ONCE)

        return Deferred.fromCoroutine(watch())
