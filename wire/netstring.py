"""Netstrings off and onto a Twisted transport: a faster drop-in for Twisted's own receiver.

The only module of ``wire`` that imports Twisted.
"""

from __future__ import annotations

from twisted.internet.interfaces import ITransport
from twisted.internet.protocol import Protocol
from twisted.protocols.basic import NetstringParseError, NetstringReceiver

_COLON = ord(":")
_COMMA = ord(",")
_ZERO = ord("0")


def netstring(payload: bytes) -> bytes:
    """Return ``payload`` as a netstring: ``LENGTH:PAYLOAD,``."""
    return b"%d:%b," % (len(payload), payload)


class Netstrings(NetstringReceiver):
    """A protocol of netstrings that can be paused in the middle of a read.

    Keeps the contract of :class:`twisted.protocols.basic.NetstringReceiver` (``stringReceived``, ``sendString``,
    ``MAX_LENGTH``, ``brokenPeer``) and adds to it: nothing is delivered while paused or closing, the work is linear
    in the bytes however they are cut, and what cannot be a netstring is refused as soon as that can be told.

    Holds at most one unfinished netstring and what was read while paused.
    """

    MAX_LENGTH = 65_536
    paused = False
    brokenPeer = 0

    def makeConnection(self, transport: ITransport) -> None:
        """Start on ``transport`` with nothing read."""
        Protocol.makeConnection(self, transport)  # NetstringReceiver's own would make what it parses with
        self._buffer = b""  # being read, from _offset on
        self._offset = 0
        self._arrived: bytes | bytearray = b""  # behind _buffer; joined to it only when it can finish something
        self._missing = 1  # how many bytes that takes at least
        self._delivering = False
        self._digits = len(str(self.MAX_LENGTH))

    def dataReceived(self, data: bytes) -> None:
        """Take what was read and deliver what it completes."""
        if self._arrived:
            self._arrived += data
        else:  # one that grows with each read, where that is not enough yet
            self._arrived = data if len(data) >= self._missing else bytearray(data)
        if len(self._arrived) >= self._missing:
            self._deliver()

    def pauseProducing(self) -> None:
        """Deliver nothing more and read nothing more, from this moment on."""
        if not self.paused:
            self.paused = True
            self.transport.pauseProducing()  # type: ignore[union-attr]

    def resumeProducing(self) -> None:
        """Deliver what is held, then read on."""
        if self.paused:
            self.paused = False
            self._deliver()
            if self._may_deliver():
                self.transport.resumeProducing()  # type: ignore[union-attr]

    def forget(self) -> None:
        """Deliver nothing of what was read."""
        self._buffer, self._offset, self._arrived = b"", 0, b""

    def parse_failed(self, reason: NetstringParseError) -> None:  # noqa: ARG002
        """The peer sent what is no netstring; nothing more of it is read. Override to say so."""
        assert self.transport is not None
        self.transport.loseConnection()

    def _may_deliver(self) -> bool:
        return not (self.paused or self.brokenPeer or self.transport.disconnecting)  # type: ignore[union-attr]

    def _deliver(self) -> None:
        if self._delivering:  # stringReceived paused and resumed: the loop below goes on
            return
        self._delivering = True
        try:
            while self._may_deliver():
                payload = self._next()
                if payload is not None:
                    self.stringReceived(payload)  # type: ignore[no-untyped-call]
                elif not self._refill():
                    break
        except NetstringParseError as reason:
            self.brokenPeer = 1
            self.parse_failed(reason)
        finally:
            self._delivering = False

    def _refill(self) -> bool:
        if len(self._arrived) < self._missing:
            if self._offset == len(self._buffer):  # all is read: who says nothing more holds nothing
                self._buffer, self._offset = b"", 0
            return False
        self._buffer = self._buffer[self._offset :] + self._arrived
        self._offset = 0
        self._arrived = b""
        return True

    def _next(self) -> bytes | None:
        buffer, start = self._buffer, self._offset
        colon = buffer.find(_COLON, start, start + self._digits + 1)
        if colon < 0:
            self._length(buffer[start : start + self._digits + 1])
            self._missing = 1
            return None
        length = self._length(buffer[start:colon], whole=True)
        end = colon + 1 + length
        if end >= len(buffer):
            self._missing = end + 1 - len(buffer)
            return None
        if buffer[end] != _COMMA:
            raise NetstringParseError("a netstring does not end with a comma")
        self._offset = end + 1
        return buffer[colon + 1 : end]

    def _length(self, digits: bytes, whole: bool = False) -> int:
        if not digits and not whole:
            return 0
        if not digits.isdigit() or (digits[0] == _ZERO and len(digits) > 1):
            raise NetstringParseError("a netstring does not begin with its length")
        length = int(digits)
        if length > self.MAX_LENGTH:
            raise NetstringParseError(f"a netstring is longer than {self.MAX_LENGTH} bytes")
        return length
