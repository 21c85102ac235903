"""Where the server listens: any endpoint of Twisted's, with ``tls:`` and ``haproxy:`` before it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import (
    IAddress,
    IListeningPort,
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamServerEndpoint,
)  # fmt: skip
from twisted.internet.tcp import Port
from twisted.protocols.haproxy import proxyEndpoint
from zope.interface import implementer

from server.proxied import announced

BACKLOG: Final = 4096  # connections that may wait to be accepted: a thousand people come at once after a restart
AT_ONCE: Final = 4  # connections that are let in before others have their turn: a millisecond or two of work

Wrap = Callable[[IProtocolFactory], IProtocolFactory]


@implementer(IStreamServerEndpoint)
class Wrapped:
    """An endpoint on which something else is spoken first."""

    def __init__(self, endpoint: IStreamServerEndpoint, wrap: Wrap) -> None:
        self._endpoint = endpoint
        self._wrap = wrap

    def listen(self, factory: IProtocolFactory) -> Deferred[IListeningPort]:
        """Listen."""
        return self._endpoint.listen(self._wrap(factory))


@implementer(IProtocolFactory)
class Door:
    """Lets in a few connections of those that come to ``port``, then who is in has a turn, however many come.

    That turn takes as many seconds as ``turn`` says then.
    """

    noisy = False

    def __init__(self, factory: IProtocolFactory, clock: IReactorTime, turn: Callable[[], float]) -> None:
        self._factory = factory
        self._clock = clock
        self._turn = turn
        self._port: Port | None = None
        self._came = 0

    def stands_at(self, port: IListeningPort) -> None:
        """It is the door of ``port``."""
        if isinstance(port, Port):  # of TCP or UNIX; others bring whom they bring
            self._port = port
            self._open(port)

    def doStart(self) -> None:
        """It is listened for connections."""
        self._factory.doStart()

    def doStop(self) -> None:
        """It is not any more."""
        self._factory.doStop()

    def buildProtocol(self, addr: IAddress) -> IProtocol | None:
        """Let one in."""
        self._came += 1
        if self._came == AT_ONCE and self._port is not None:
            self._port.stopReading()
            self._clock.callLater(self._turn(), self._open, self._port)
        return self._factory.buildProtocol(addr)

    def _open(self, port: Port) -> None:
        self._came = 0
        port.numberAccepts = AT_ONCE  # in one turn; Twisted has it grow with those who wait
        if port.connected:
            port.startReading()


def endpoint(reactor: Any, said: str, wraps: dict[str, Wrap]) -> IStreamServerEndpoint:
    """Return the endpoint of ``said``: ``tcp:7777``, ``7777``, or with names of ``wraps`` before it, ``tls:tcp:7777``.

    Behind ``haproxy:`` a proxy says who comes, before anything else is said: ``tls:haproxy:tcp:7777``.
    Raises ValueError, TypeError or LookupError, as Twisted does.
    """
    kind, _, rest = said.partition(":")
    if kind in wraps:
        return Wrapped(endpoint(reactor, rest, wraps), wraps[kind])
    if kind == "haproxy":
        return Wrapped(proxyEndpoint(endpoint(reactor, rest, wraps)), announced(reactor))
    if kind == "stdio":
        raise ValueError("nobody else could come there")
    if said.isdecimal():
        return endpoint(reactor, f"tcp:{said}", wraps)
    backlog = f":backlog={BACKLOG}" if kind in ("tcp", "ssl", "unix") and ":backlog=" not in said else ""
    found: IStreamServerEndpoint = serverFromString(reactor, said + backlog)
    return found
