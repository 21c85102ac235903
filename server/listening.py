"""Where the server listens: any endpoint of Twisted's, with ``tls:`` and ``haproxy:`` before it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IStreamServerEndpoint
from twisted.protocols.haproxy import proxyEndpoint
from zope.interface import implementer

from server.proxied import announced

BACKLOG: Final = 4096  # connections that may wait to be accepted: a thousand people come at once after a restart

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
    if said.isdecimal():
        return endpoint(reactor, f"tcp:{said}", wraps)
    backlog = f":backlog={BACKLOG}" if kind in ("tcp", "ssl", "unix") and ":backlog=" not in said else ""
    found: IStreamServerEndpoint = serverFromString(reactor, said + backlog)
    return found
