"""What is fuzzed, each as a function of bytes. It fails by raising; whatever a peer may say is no failure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final
from unittest.mock import patch

from argon2 import PasswordHasher
from twisted.internet.testing import StringTransport
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface import provider

from server import passwords
from storage.interface import Auth, Register, Role
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
    """Whatever clients say, and however it is cut, before a login and after, the server goes on for the others.

    The first byte says what happens; what follows, up to the next zero byte, is said as one frame, as it is or behind
    a header that is right as far as it goes. Two say that, by turns, with an account or without. Bob, with whom they
    may talk, goes on, and eve hears nothing but what is said to all or to her.
    """
    with patch.object(passwords, "_HASHER", CHEAP), _noted() as faults:
        house = House(auth=Auth.ACCOUNTS)
        for name, password, role in ACCOUNTS:
            house.storage.accounts.register(Register(name, CHEAP.hash(password), None, 0, role))
        house.server.start()
        house.settle()
        bob, eve = (house.peer(name, password=password) for name, password, _ in ACCOUNTS[:2])
        peers = [Peer(house.server), Peer(house.server)]
        for step in _steps(data):
            step(house, peers)
        for peer in peers:
            peer.ends()
        house.settle()
        house.clock.pump([1] * 3)
        house.settle()
    assert not faults, faults[0]["log_failure"].getTraceback()
    assert all(it.room in ("lobby", f"@{it.sender}") for it in eve.heard(frames.Message))
    if not any(act.by == "root" for act in house.storage.acts):  # who may send them away
        assert {connection.user for connection in house.server.get_all()} == {"bob", "eve"}
        _says(house, bob)


def _says(house: House, bob: Peer) -> None:
    acked = len(bob.heard(frames.Ack))
    bob.says(frames.Send(1), b"still here")
    house.settle()
    assert len(bob.heard(frames.Ack)) == acked + 1


@contextmanager
def _noted() -> Iterator[list[LogEvent]]:
    """Note the faults of which the log tells."""
    faults: list[LogEvent] = []

    @provider(ILogObserver)
    def note(event: LogEvent) -> None:
        if "log_failure" in event:
            faults.append(event)

    globalLogPublisher.addObserver(note)
    try:
        yield faults
    finally:
        globalLogPublisher.removeObserver(note)


CHEAP: Final = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
ACCOUNTS: Final = (
    ("bob", "p", Role.USER),
    ("eve", "nobody else's", Role.USER),
    ("ann", "p", Role.USER),
    ("root", "p", Role.OPERATOR),
)
_BEGINNINGS: Final = [
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
    b'{"type":"login","user":"cy","client":"c"}',
    b'{"type":"login","password":"p","client":"c","user":"ann","rooms":{"@bob":0,"lobby":0',
    b'{"type":"login","password":"p","user":"root"',
    b'{"type":"login","user":"',
    b'{"type":"register","ref":3,"password":"',
    b'{"type":"register","ref":3,"password":"q","old":"',
    b'{"type":"run","ref":4,"line":"',
    b'{"type":"run","ref":4,"room":"den","line":"',
    b'{"type":"delete","ref":5,"id":',
    b'{"type":"delete","ref":5,"room":"@bob","id":',
    b'{"type":"join","room":"@bob","after":',
    b'{"type":"send","room":"@bob","seq":',
    b'{"type":"send","room":"@ann","seq":',
    b'{"type":"history","room":"@bob","limit":9,"ref":',
    b'{"type":"fetch","room":"@bob","id":1,"ref":',
    b'{"type":"leave","room":"@bob"',
    b'{"type":"join","room":"den"}',
]


def _steps(data: bytes) -> Iterator[Callable[[House, list[Peer]], object]]:
    for said in data.split(b"\0")[:64]:
        kind, rest = (said[0], said[1:]) if said else (255, b"")
        if kind <= len(_BEGINNINGS):
            yield _saying(netstring(_BEGINNINGS[kind - 1] + rest))
        elif kind < 0x60:
            yield _saying(netstring(rest))
        elif kind < 0x80:
            yield _saying(rest)
        elif kind < 0xC0:
            yield lambda house, _: house.settle()
        elif kind < 0xE0:
            yield lambda _, peers: peers.reverse()  # the other one's turn
        else:
            yield lambda house, _, kind=kind: house.clock.advance((kind - 0xE0) / 2)  # type: ignore[misc]


def _saying(data: bytes) -> Callable[[House, list[Peer]], object]:
    def say(_: House, peers: list[Peer]) -> None:
        if not peers[0].transport.aborted and not peers[0].connection.paused:
            peers[0].connection.dataReceived(data)

    return say


TARGETS: Final = {"netstrings": netstrings, "headers": headers, "session": session}
