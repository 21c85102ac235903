"""Connecting to a chat that has several servers: to one after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from zope.interface import implementer

from cli.addresses import Address

PATIENCE: Final = 5  # seconds for a server that does not answer, where there is another one


def endpoint(reactor: Any, servers: Sequence[Address]) -> IStreamClientEndpoint:
    """Return an endpoint for the servers of one chat, of which there is one at least."""
    if len(servers) == 1:
        return HostnameEndpoint(reactor, *servers[0])
    return InTurn(HostnameEndpoint(reactor, *server, timeout=PATIENCE) for server in servers)


@implementer(IStreamClientEndpoint)
class InTurn:
    """Endpoints of servers that are alike: each connection is tried with the one behind that of the last attempt."""

    def __init__(self, endpoints: Iterable[IStreamClientEndpoint]) -> None:
        self._endpoints = deque(endpoints)

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        """Connect to the next one."""
        endpoint = self._endpoints[0]
        self._endpoints.rotate(-1)
        return endpoint.connect(factory)
