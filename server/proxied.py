"""Connections that come through a proxy, which says first (PROXY protocol, 1 or 2) from where."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IReactorTime
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure

WITHIN: Final = 30.0  # seconds for what the proxy says
LOOK: Final = 0.5  # seconds between looks whether it has: Twisted tells only when the client says something


class Announced(Protocol):
    """Lets ``begun`` begin when its transport's peer is known to be who it is, at the latest with its first bytes."""

    def __init__(self, begun: IProtocol, clock: IReactorTime) -> None:
        self._begun = begun
        self._clock = clock
        self._has_begun = False

    def connectionMade(self) -> None:
        """The proxy connected."""
        self._proxy = self.transport.getPeer()  # type: ignore[union-attr]
        self._late_at = self._clock.seconds() + WITHIN
        self._next_look = self._clock.callLater(LOOK, self._look)

    def dataReceived(self, data: bytes) -> None:
        """The client says something."""
        if not self._has_begun:
            self._next_look.cancel()
            self._begin()
        self._begun.dataReceived(data)

    def _look(self) -> None:
        transport: Any = self.transport
        if transport.getPeer() != self._proxy:
            self._begin()
        elif self._clock.seconds() >= self._late_at:
            transport.abortConnection()
        else:
            self._next_look = self._clock.callLater(LOOK, self._look)

    def _begin(self) -> None:
        self._has_begun = True
        assert self.transport is not None
        self._begun.makeConnection(self.transport)

    def connectionLost(self, reason: Failure = Failure(ConnectionDone())) -> None:  # noqa: B008
        """The connection is gone."""
        if self._has_begun:
            self._begun.connectionLost(reason)
        elif self._next_look.active():
            self._next_look.cancel()


class _Announcing(Factory):
    noisy = False

    def __init__(self, factory: IProtocolFactory, clock: IReactorTime) -> None:
        self._factory = factory
        self._clock = clock

    def buildProtocol(self, addr: Any) -> Announced | None:
        begun = self._factory.buildProtocol(addr)
        return None if begun is None else Announced(begun, self._clock)


def announced(clock: IReactorTime) -> Any:
    """Return what makes a factory of one whose protocols begin when it is known who their peer is."""
    return partial(_Announcing, clock=clock)
