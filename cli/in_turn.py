"""Connecting to a chat that has several servers: to one after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from twisted.internet.abstract import isIPAddress
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, TCP4ClientEndpoint, wrapClientTLS
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from zope.interface import implementer

from cli.addresses import Address

PATIENCE: Final = 5  # seconds for a server that does not answer, where there is another one
ALONE: Final = 30  # where there is none


def endpoint(
    reactor: Any, servers: Sequence[Address], *, tls: bool = False, tls_ca: Path | None = None
) -> IStreamClientEndpoint:
    """Return an endpoint for the servers of one chat, of which there is one at least.

    With ``tls`` each must show a certificate for its host, signed by whom the system trusts, or by ``tls_ca``; raises
    :class:`cli.tls.BadAuthorities`.
    """
    patience = PATIENCE if len(servers) > 1 else ALONE
    endpoints = [_plain(reactor, *server, patience) for server in servers]
    if tls:
        from cli.tls import Verified  # 150 ms to load, for who needs it

        endpoints = [
            wrapClientTLS(Verified(host, tls_ca), plain) for (host, _), plain in zip(servers, endpoints, strict=True)
        ]
    return endpoints[0] if len(endpoints) == 1 else InTurn(endpoints)


def _plain(reactor: Any, host: str, port: int, patience: int) -> IStreamClientEndpoint:
    if isIPAddress(host):
        return TCP4ClientEndpoint(reactor, host, port, patience)  # the other one would load how names are written first
    return HostnameEndpoint(reactor, host, port, patience)


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
