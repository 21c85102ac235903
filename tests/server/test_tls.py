"""TLS where time is in the test's hand."""

from __future__ import annotations

import tempfile
from pathlib import Path

from twisted.internet.address import IPv4Address
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import TestCase

from server.tls import Certificate
from tests.server.fakes import House
from tests.tls import Authority

CLIENT_HELLO = bytes.fromhex("1603010200010001fc0303")  # how one begins


class Raw(StringTransport):
    aborted = False

    def abortConnection(self) -> None:
        self.aborted = True


class StallTests(TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="chat-tls-")
        self.addCleanup(folder.cleanup)
        self.house = House()
        self.house.server.start()
        certificate = Certificate(*Authority(Path(folder.name)).issue("localhost"))
        self.protocol = certificate.secure(self.house.server, self.house.clock).buildProtocol(
            IPv4Address("TCP", "127.0.0.1", 1)
        )
        self.raw = Raw()
        assert self.protocol is not None
        self.protocol.makeConnection(self.raw)

    def test_a_handshake_that_stalls_is_closed_as_who_says_nothing(self) -> None:
        assert self.protocol is not None
        for at in range(len(CLIENT_HELLO)):  # a byte every three seconds buys no time
            self.protocol.dataReceived(CLIENT_HELLO[at : at + 1])
            self.house.clock.pump([0.5] * 6)
        self.assertTrue(self.raw.aborted)

    def test_not_before(self) -> None:
        self.house.clock.pump([1] * 29)
        self.assertFalse(self.raw.aborted)
        self.assertEqual(len(self.house.server.get_all()), 1)
