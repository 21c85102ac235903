"""Who goes: strangers by the thousand cost little, and hold up nobody."""

from __future__ import annotations

import gc
import socket
import struct
from typing import Any, cast
from weakref import ref

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from server.server import LEAVE_AT_ONCE
from tests.server.fakes import House, Peer
from wire import frames
from wire.frames import encode


class StrangersTests(TestCase):
    def setUp(self) -> None:
        self.house = House()

    def test_nothing_of_one_waits_for_the_collector(self) -> None:
        gc.disable()
        self.addCleanup(gc.enable)
        for said in (b"", encode(frames.Ping()), b"12:"):
            stranger = Peer(self.house.server)
            stranger.connection.dataReceived(said)
            connection = ref(stranger.connection)
            stranger.transport.unregisterProducer()  # as Twisted's own does
            stranger.ends()
            del stranger
            self.assertIsNone(connection(), said)

    def test_one_whose_reading_waits_for_its_turn_is_gone_before(self) -> None:
        stranger = Peer(self.house.server)
        stranger.connection.dataReceived(encode(frames.Pong()) * 1_000)
        stranger.ends()
        self.house.settle()
        self.assertEqual(self.house.server.get_all(), [])

    def test_many_who_end_at_once_leave_others_their_turn(self) -> None:
        strangers = [Peer(self.house.server) for _ in range(3 * LEAVE_AT_ONCE)]
        for stranger in strangers:
            stranger.connection.readConnectionLost()
        gone = []

        def have_a_turn() -> None:
            gone.append(sum(stranger.transport.aborted for stranger in strangers))
            if len(gone) < 3:
                self.house.clock.callLater(0, have_a_turn)

        have_a_turn()
        self.house.clock.advance(0)
        self.assertEqual(gone, [0, LEAVE_AT_ONCE, 2 * LEAVE_AT_ONCE])
        self.assertTrue(all(stranger.transport.aborted for stranger in strangers))

    def test_one_who_ends_is_told_what_there_is_to_tell(self) -> None:
        stranger = Peer(self.house.server, room=0)
        stranger.says(frames.Ping(7))
        stranger.connection.readConnectionLost()
        self.house.clock.advance(0)
        self.assertEqual((stranger.transport.aborted, stranger.transport.disconnecting), (False, True))
        stranger.transport.take(1_000)
        self.assertEqual([pong.ref for pong in stranger.heard(frames.Pong)], [7])


class ResetTests(TestCase):
    def setUp(self) -> None:
        self.house = House()
        self.port = cast(Any, reactor).listenTCP(0, self.house.server, interface="127.0.0.1")
        self.addCleanup(lambda: self.port.stopListening())

    def client(self) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port.getHost().port))
        client.sendall(encode(frames.Login("ann", client="c")) + encode(frames.Send(1), b"x"))
        return client

    def test_a_login_that_is_reset_is_none(self) -> Deferred[None]:
        client = self.client()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        return Deferred.fromCoroutine(self.gone([]))

    def test_what_who_only_closes_had_said_is_stored(self) -> Deferred[None]:
        self.client().close()
        return Deferred.fromCoroutine(self.gone(["x"]))

    async def gone(self, stored: list[str]) -> None:
        """Wait until one came, and is gone; this much was stored."""
        while not self.house.server.get_all():
            await deferLater(reactor, 0)
        while self.house.server.get_all():
            await deferLater(reactor, 0)
            self.house.settle()
        self.assertEqual([message.text for row in self.house.storage.messages.values() for message in row], stored)
        self.assertEqual(len(self.house.storage.senders), len(stored))
