"""The other end of a client, in memory: a network that does what the test says, at a clock that the test turns."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IProtocolFactory, IStreamClientEndpoint
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import implementer

from cli.client import Client
from cli.inbox import Inbox
from cli.session import Session
from cli.status import Listener
from wire.frames import ClientFrame, Frame, Login, RoomSpan, Welcome, encode, from_client
from wire.netstring import Netstrings


class End(StringTransport):
    """The server's end of one connection: ``say`` goes to the client, ``heard`` is what came from it."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.protocol: Any = None
        self.lost = False
        self._clock = clock
        self._read = 0

    def say(self, *frames: Frame | tuple[Frame, bytes]) -> None:
        data = b"".join(encode(*frame) if isinstance(frame, tuple) else encode(frame) for frame in frames)
        self.protocol.dataReceived(data)

    def heard(self) -> list[tuple[ClientFrame, bytes]]:
        """Return what the client said since the last call."""
        data = self.value()
        new, self._read = data[self._read :], len(data)
        return [from_client.decode(payload) for payload in _payloads(new)]

    def welcome(self, received: int = 0, user: str = "ann", ping_every: int = 30, **rooms: tuple[int, int]) -> Login:
        """Let the client in and return its `login`; rooms as ``name=(first_id, last_id)``."""
        (login, _), *_ = self.heard()
        assert isinstance(login, Login)
        spans = {name: RoomSpan(*span) for name, span in (rooms or {"lobby": (1, 0)}).items()}
        self.say(Welcome(user=user, server="test", ping_every=ping_every, received=received, rooms=spans))
        return login

    def cut(self, why: Exception | None = None) -> None:
        """The network breaks."""
        if not self.lost:
            self.lost = True
            self.protocol.connectionLost(Failure(why or ConnectionLost("cut")))

    def loseConnection(self) -> None:
        super().loseConnection()
        if self.producer is None:
            self._clock.callLater(0, self.cut, ConnectionDone())

    def abortConnection(self) -> None:
        self._clock.callLater(0, self.cut, ConnectionLost("aborted"))


@implementer(IStreamClientEndpoint)
class Network:
    """Where a client connects to: each attempt waits until the test accepts or refuses it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self._attempt: tuple[Deferred[Any], IProtocolFactory] | None = None

    def connect(self, factory: IProtocolFactory) -> Deferred[Any]:
        attempt: Deferred[Any] = Deferred(lambda _: setattr(self, "_attempt", None))
        self._attempt = attempt, factory
        return attempt

    @property
    def trying(self) -> bool:
        return self._attempt is not None

    def accept(self) -> End:
        assert self._attempt is not None
        (attempt, factory), self._attempt = self._attempt, None
        end = End(self.clock)
        end.protocol = factory.buildProtocol(None)  # type: ignore[arg-type]
        end.protocol.makeConnection(end)
        attempt.callback(end.protocol)
        return end

    def refuse(self) -> None:
        assert self._attempt is not None
        (attempt, _), self._attempt = self._attempt, None
        attempt.errback(ConnectError(errno.ECONNREFUSED))

    def client(
        self, read: bool = True, listener: Listener | None = None, **login: Any
    ) -> tuple[Client, Deferred[Client]]:
        """Return a client that has begun to connect here, and what fires when it is logged in."""
        session = Session("ann", Inbox(read), client="c", listener=listener, **login)
        client = Client(self, session, self.clock)
        return client, client.start()


def _payloads(data: bytes) -> Iterator[bytes]:
    found: list[bytes] = []
    reader = Netstrings()
    reader.stringReceived = found.append  # type: ignore[method-assign]
    reader.makeConnection(StringTransport())
    reader.dataReceived(data)
    return iter(found)
