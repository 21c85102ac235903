"""Behind a proxy: who comes is who the proxy says, not the proxy."""

from __future__ import annotations

from unittest import TestCase

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from server.proxied import WITHIN, Announced
from tests.plain_client import PlainClient
from tests.processes import ServerProcess
from tests.server.fakes import House

V2 = b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + bytes([192, 0, 2, 9, 127, 0, 0, 1]) + b"\x15\xb3\x1e\x61"


class Proxied(TestCase):
    def setUp(self) -> None:
        listen = "haproxy:tcp:0:interface=127.0.0.1"
        self.server = ServerProcess("--max-per-address", "1", listen=listen)
        self.addCleanup(self.server.close)
        self.server.start()

    def come(self, header: bytes) -> PlainClient:
        client = self.server.connect()
        self.addCleanup(client.close)
        client.write(header)
        return client

    def test_the_address_in_the_log_and_of_the_limits_is_the_clients_own(self) -> None:
        ann = self.come(b"PROXY TCP4 192.0.2.7 127.0.0.1 5555 7777\r\n")
        ann.login("ann")
        bob = self.come(V2)
        bob.login("bob")
        ann.store("hello")
        self.assertEqual(bob.read_messages("lobby", 1)[0].text, "hello")
        again = self.come(b"PROXY TCP4 192.0.2.7 127.0.0.1 5556 7777\r\n")
        again.ask_login("again")
        self.assertEqual(again.frames()[-1]["code"], "too_many")
        ann.say("quit")
        self.assertEqual(ann.frames()[-1]["reason"], "quit")
        self.server.terminate()
        log = "\n".join(self.server.log)
        self.assertIn("192.0.2.7:5555 ann logged in", log)
        self.assertIn("192.0.2.9:5555 bob logged in", log)
        self.assertNotIn("Traceback", log)

    def test_who_says_nothing_counts_all_the_same(self) -> None:
        silent = [self.come(b"PROXY TCP4 192.0.2.7 127.0.0.1 5555 7777\r\n") for _ in range(2)]
        [refused] = silent[1].frames()
        self.assertEqual(refused["code"], "too_many")

    def test_who_does_not_come_through_it_is_closed(self) -> None:
        client = self.come(b"")
        client.ask_login("ann")
        self.assertEqual(client.frames(), [])


class Silent(TestCase):
    def test_who_says_nothing_behind_the_header_is_closed(self) -> None:
        clock, aborted = Clock(), []
        transport = StringTransport()
        transport.abortConnection = lambda: aborted.append(True)  # type: ignore[method-assign]
        Announced(House().server.accept(), clock).makeConnection(transport)
        clock.advance(WITHIN - 1)
        self.assertEqual(aborted, [])
        clock.advance(1)
        self.assertEqual(aborted, [True])
