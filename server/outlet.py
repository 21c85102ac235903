"""What a connection writes through: it gives the socket what fits at once, and knows when it can take more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

from twisted.internet.interfaces import IPullProducer, IPushProducer, ISSLTransport
from zope.interface import implementer

from server.sockets import raw

PIECE: Final = 16 * 1024  # bytes that are enciphered at once: a record of TLS


class Outlet(Protocol):
    """A transport, seen by who has more to say than it may take."""

    clear: bool  # nothing waits to be sent: what is offered now goes out now
    waiting: int  # bytes that were handed over since it was last clear

    def write(self, data: bytes) -> None:
        """Send ``data`` behind all that waits, whatever that is."""

    def offer(self, data: memoryview) -> int:
        """Send as much of ``data`` as goes out at once and return how many bytes that is.

        Where it is less than all, the rest up to a frame's end is to be written; what follows that, later.
        """

    def again(self) -> None:
        """Call back as soon as more can be taken, in another turn of the reactor."""

    def finish(self) -> None:
        """Send what waits, then end the sending direction (over TLS: the connection). Call back no more."""

    def close(self) -> None:
        """Send what waits, then end the connection. Call back no more."""


class Source(Protocol):
    """Something of a connection that has frames to give: a cursor in a room, or an open question."""

    def give(self, outlet: Outlet) -> bool:
        """Write one piece; say whether there is more to be written at once."""


class Reader(Protocol):
    """A connection, as its sources see it."""

    outlet: Outlet
    ready: tuple[Source, ...]  # who has something to give, in turn

    def has_more(self, source: Source) -> None:
        """``source`` has something to give: in its turn, as soon as the client can take it."""

    def cleared(self) -> None:
        """All that was written has gone out."""


NextTurn = Callable[[Callable[[], None]], None]


def outlet(transport: Any, next_turn: NextTurn, reader: Reader) -> Outlet:
    """Return the outlet that suits ``transport``.

    ``reader`` is told whenever all that waited has gone out; ``next_turn`` calls a function when others had a turn.
    """
    if ISSLTransport.providedBy(transport) or not hasattr(transport, "getHandle"):
        return WriteOnly(transport, next_turn, reader)
    return Direct(transport, next_turn, reader)


class Lost:
    """Of a connection that is lost: it takes nothing, and is never clear."""

    clear = False
    waiting = 0

    def write(self, data: bytes) -> None:  # noqa: D102
        pass

    def offer(self, data: memoryview) -> int:  # noqa: ARG002, D102
        return 0

    def again(self) -> None:  # noqa: D102
        pass

    def finish(self) -> None:  # noqa: D102
        pass

    def close(self) -> None:  # noqa: D102
        pass


class _Producer:
    """What both kinds share: they are asked for more when all has gone out, and come back when they want to go on."""

    __slots__ = ("_again", "_next_turn", "_reader", "_transport", "clear", "waiting")

    def __init__(self, transport: Any, next_turn: NextTurn, reader: Reader) -> None:
        self._transport = transport
        self._next_turn = next_turn
        self._reader = reader
        self._again = False
        self.clear = True
        self.waiting = 0

    def again(self) -> None:
        if self.clear and not self._again:
            self._again = True
            self._next_turn(self._come_back)

    def _come_back(self) -> None:
        self._again = False
        if self.clear:
            self._reader.cleared()

    def resumeProducing(self) -> None:
        """The transport has sent all that it held."""
        self.clear = True
        self.waiting = 0
        self._reader.cleared()

    def stopProducing(self) -> None:
        """The connection is lost; its protocol is told."""

    def close(self) -> None:
        self._transport.unregisterProducer()
        self._transport.loseConnection()


@implementer(IPullProducer)
class Direct(_Producer):
    """Straight to the socket, without a trip through the reactor; only what does not fit goes to ``transport.write``.

    A pull producer is asked for more whenever the transport's buffer is empty, so whether it is need not be looked up.
    """

    __slots__ = ("_socket",)

    def __init__(self, transport: Any, next_turn: NextTurn, reader: Reader) -> None:
        super().__init__(transport, next_turn, reader)
        self._socket = transport.getHandle()
        transport.registerProducer(self, False)

    def write(self, data: bytes) -> None:  # noqa: D102
        if self.clear:
            data = data[self._send(data) :]
        if data:
            self._wait_for(data)

    def offer(self, data: memoryview) -> int:  # noqa: D102
        sent = self._send(data)
        if sent < len(data):
            self.clear = False
            self._transport.startWriting()
        return sent

    def finish(self) -> None:  # noqa: D102
        self._transport.unregisterProducer()
        self._transport.loseWriteConnection()

    def _send(self, data: bytes | memoryview) -> int:
        try:
            sent: int = self._socket.send(data)
        except OSError:  # it is full; or the connection is lost, which the transport's next write finds
            return 0
        return sent

    def _wait_for(self, data: bytes) -> None:
        self.clear = False
        self.waiting += len(data)
        self._transport.write(data)


@implementer(IPushProducer)
class WriteOnly(_Producer):
    """Through ``transport.write`` only, for TLS: what goes to the socket itself is not encrypted there.

    A pull producer would be asked for more all the time there, so this is a push producer. It takes :data:`PIECE` at a
    time, and the transport pauses it where that is not gone at once; so who does not read holds little more.
    """

    __slots__ = ()

    def __init__(self, transport: Any, next_turn: NextTurn, reader: Reader) -> None:
        super().__init__(transport, next_turn, reader)
        raw(transport).bufferSize = PIECE
        transport.registerProducer(self, True)

    def write(self, data: bytes) -> None:  # noqa: D102
        if not self.clear:
            self.waiting += len(data)
        self._transport.write(data)

    def offer(self, data: memoryview) -> int:  # noqa: D102
        self._transport.write(bytes(data[:PIECE]))
        return min(len(data), PIECE)

    def finish(self) -> None:  # noqa: D102
        self.close()

    def pauseProducing(self) -> None:
        """The transport holds more than it likes to."""
        self.clear = False
