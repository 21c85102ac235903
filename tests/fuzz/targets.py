"""What is fuzzed, each as a function of bytes. It fails by raising; whatever a peer may say is no failure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from twisted.internet.testing import StringTransport
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface import provider

from tests.server.fakes import House, Peer
from wire import frames
from wire.frames import BadFrame, encode, from_client, from_server
from wire.netstring import Netstrings, netstring
from wire.text import safe


class _Reader(Netstrings):
    def __init__(self) -> None:
        self.read: list[bytes] = []

    def stringReceived(self, payload: bytes) -> None:
        self.read.append(payload)
        if payload[:1] == b"p":
            self.pauseProducing()


def netstrings(data: bytes) -> None:
    """However the bytes are cut, the decoder reads the same."""
    cut, data = (data[0] + 1 if data else 1), data[1:]
    assert _read(data, len(data) or 1) == _read(data, cut)


def _read(data: bytes, cut: int) -> list[bytes]:
    reader = _Reader()
    reader.makeConnection(StringTransport())
    for start in range(0, len(data), cut):
        reader.dataReceived(data[start : start + cut])
        while reader.paused and not reader.brokenPeer:
            reader.resumeProducing()
    return reader.read


def headers(data: bytes) -> None:
    """A payload is a frame, which is the same once it was encoded, or a BadFrame; for either side."""
    for decoder in (from_client, from_server):
        try:
            frame, body = decoder.decode(data)
        except BadFrame as bad:
            safe(str(bad))
            continue
        again, same = decoder.decode(encode(frame, body).partition(b":")[2][:-1])
        assert (again, same) == (frame, body)


def session(data: bytes) -> None:
    """Whatever a client says, and however it is cut, before its login and after, the server goes on for the others.

    The first byte says what happens; what follows, up to the next zero byte, is said as one frame, as it is or behind
    a header that is right as far as it goes.
    """
    house = House()
    house.server.start()
    house.settle()
    bob = house.peer("bob")
    peer = Peer(house.server)
    faults: list[LogEvent] = []

    @provider(ILogObserver)
    def note(event: LogEvent) -> None:
        if "log_failure" in event:
            faults.append(event)

    globalLogPublisher.addObserver(note)
    try:
        for step in _steps(data):
            step(house, peer)
        peer.ends()
        house.settle()
        house.clock.pump([1] * 3)
        house.settle()
    finally:
        globalLogPublisher.removeObserver(note)
    assert not faults, faults[0]["log_failure"].getTraceback()
    assert [connection.user for connection in house.server.get_all()] == ["bob"]
    acked = len(bob.heard(frames.Ack))
    bob.says(frames.Send(1), b"still here")
    house.settle()
    assert len(bob.heard(frames.Ack)) == acked + 1


_BEGINNINGS: Final = [
    b'{"type":"login","user":"ann","client":"c"}',
    b'{"type":"send","seq":1',
    b'{"type":"send","seq":2,"upload":1,"size":',
    b'{"type":"part","upload":1,"offset":',
    b'{"type":"join","room":"',
    b'{"type":"leave"',
    b'{"type":"history","limit":9,"ref":',
    b'{"type":"search","limit":9,"ref":1,"query":"',
    b'{"type":"fetch","id":1,"ref":',
    b'{"type":"who","ref":',
    b'{"type":"cancel","ref":',
    b'{"type":"resume","upload":1,"ref":',
    b'{"type":"drop","upload":',
    b'{"type":"rooms","ref":2}',
    b'{"type":"ping"}',
    b'{"type":"quit"}',
]


def _steps(data: bytes) -> Iterator[Callable[[House, Peer], object]]:
    for said in data.split(b"\0")[:64]:
        kind, rest = (said[0], said[1:]) if said else (255, b"")
        if kind < 0x20:
            yield _saying(netstring(_BEGINNINGS[kind % len(_BEGINNINGS)] + rest))
        elif kind < 0x60:
            yield _saying(netstring(rest))
        elif kind < 0x80:
            yield _saying(rest)
        elif kind < 0xC0:
            yield lambda house, _: house.settle()
        else:
            yield lambda house, _, kind=kind: house.clock.advance((kind - 0xC0) / 4)  # type: ignore[misc]


def _saying(data: bytes) -> Callable[[House, Peer], object]:
    def say(_: House, peer: Peer) -> None:
        if not peer.transport.aborted and not peer.connection.paused:
            peer.connection.dataReceived(data)

    return say


TARGETS: Final = {"netstrings": netstrings, "headers": headers, "session": session}
