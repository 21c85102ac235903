"""The outlet of a connection without TLS: straight to a real socket, as far as that takes it."""

from __future__ import annotations

import socket
from unittest import TestCase

from server.outlet import Outlet, Source, outlet


class Transport:
    """A socket as a transport has it, and what it was told."""

    def __init__(self, handle: socket.socket) -> None:
        self._handle = handle
        self.wanted = False

    def getHandle(self) -> socket.socket:
        return self._handle

    def registerProducer(self, producer: object, streaming: bool) -> None:
        pass

    def startWriting(self) -> None:
        self.wanted = True


class Reader:
    """Of an outlet that it does not hear of again."""

    outlet: Outlet
    ready: tuple[Source, ...] = ()

    def has_more(self, source: Source) -> None:
        raise NotImplementedError

    def cleared(self) -> None:
        raise NotImplementedError


class DirectTests(TestCase):
    def setUp(self) -> None:
        self.ours, self.theirs = socket.socketpair()
        self.addCleanup(self.ours.close)
        self.addCleanup(self.theirs.close)
        self.ours.setblocking(False)
        self.transport = Transport(self.ours)
        self.outlet: Outlet = outlet(self.transport, lambda _: None, Reader())

    def test_what_fits_is_sent_at_once(self) -> None:
        self.assertEqual(self.outlet.offer(memoryview(b"hello")), 5)
        self.assertEqual(self.theirs.recv(10), b"hello")
        self.assertTrue(self.outlet.clear)

    def test_of_what_does_not_fit_it_says_how_much_went_out(self) -> None:
        data = memoryview(b"x" * 10_000_000)
        sent = self.outlet.offer(data)
        self.assertTrue(0 < sent < len(data))
        self.assertFalse(self.outlet.clear)
        self.assertTrue(self.transport.wanted)
        self.assertEqual(self.outlet.offer(data), 0)

    def test_a_lost_connection_takes_nothing(self) -> None:
        self.theirs.close()
        self.assertEqual(self.outlet.offer(memoryview(b"hello")), 0)
        self.ours.close()
        self.assertEqual(self.outlet.offer(memoryview(b"hello")), 0)
        self.assertFalse(self.outlet.clear)
