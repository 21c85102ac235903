"""Connections that come through a proxy, which says first (PROXY protocol, 1 or 2) from where."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IReactorTime
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure

WITHIN: Final = 30.0  # seconds for the first bytes behind what the proxy says


class Announced(Protocol):
    """Lets ``begun`` begin only with its first bytes: not before is its transport's peer known to be who it is."""

    def __init__(self, begun: IProtocol, clock: IReactorTime) -> None:
        self._begun = begun
        self._clock = clock
        self._has_begun = False

    def connectionMade(self) -> None:
        """The proxy connected."""
        transport: Any = self.transport
        self._late = self._clock.callLater(WITHIN, transport.abortConnection)

    def dataReceived(self, data: bytes) -> None:
        """The client says something."""
        if not self._has_begun:
            self._has_begun = True
            self._late.cancel()
            assert self.transport is not None
            self._begun.makeConnection(self.transport)
        self._begun.dataReceived(data)

    def connectionLost(self, reason: Failure = Failure(ConnectionDone())) -> None:  # noqa: B008
        """The connection is gone."""
        if self._has_begun:
            self._begun.connectionLost(reason)
        elif self._late.active():
            self._late.cancel()


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
