"""The Twisted server that one would write first: lines in, and each written to everybody with a ``write`` of its own.

It keeps nothing and holds nobody back; the others are measured against it, since it is the same on any machine.
"""

from __future__ import annotations

import sys
from typing import Any

from twisted.internet import reactor
from twisted.internet.protocol import ServerFactory
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure


class Chat(LineReceiver):
    """One client: its first line is its name, every other one is for all."""

    MAX_LENGTH = 65_536

    def __init__(self, clients: set[Chat]) -> None:
        self.clients = clients
        self.name = b""

    def lineReceived(self, line: bytes) -> None:
        """Let the client in, or tell all what it says."""
        if not self.name:
            self.name = line
            self.clients.add(self)
            self.sendLine(b"hello")  # type: ignore[no-untyped-call]
            return
        for client in self.clients:
            client.sendLine(self.name + b": " + line)  # type: ignore[no-untyped-call]

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]  # noqa: ARG002
        """It is gone."""
        self.clients.discard(self)


class ChatFactory(ServerFactory):
    """All clients."""

    def __init__(self) -> None:
        self.clients: set[Chat] = set()

    def buildProtocol(self, addr: object) -> Chat:  # noqa: ARG002
        """Make a client's end."""
        return Chat(self.clients)


def main(reactor: Any, port: int) -> None:
    """Serve until killed."""
    reactor.listenTCP(port, ChatFactory(), backlog=4096, interface="127.0.0.1")
    reactor.run()


if __name__ == "__main__":
    main(reactor, int(sys.argv[1]))
