"""Certificates of our own, and a client of the tests over TLS."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import trustme

from tests.plain_client import Address, PlainClient


class Authority:
    """Signs certificates. ``root`` is the file by which it is trusted; all files are in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._ca = trustme.CA()
        self._folder = folder
        self.root = folder / "root.pem"
        self._ca.cert_pem.write_to_path(str(self.root))

    def issue(self, *names: str, until: datetime | None = None, into: str = "server") -> tuple[Path, Path]:
        """Write a certificate for ``names`` and its key and return both files, in place of those of the same name."""
        issued = self._ca.issue_cert(*names, not_after=until)
        chain, key = self._folder / f"{into}.pem", self._folder / f"{into}.key"
        for part, file in ((issued.private_key_pem, key), (issued.cert_chain_pems[0], chain)):
            part.write_to_path(str(file))
        return chain, key


class TlsClient(PlainClient):
    """A :class:`PlainClient` over TLS, which trusts whatever it meets: what ours checks is tested elsewhere."""

    @classmethod
    def over(cls, address: Address, context: ssl.SSLContext | None = None) -> TlsClient:
        """Connect and agree on TLS; raises ssl.SSLError."""
        client = cls.connect(address)
        client.socket.settimeout(10)
        client.socket = (context or trusting()).wrap_socket(client.socket)
        client.socket.setblocking(False)
        assert isinstance(client, TlsClient)
        return client

    def flush(self) -> None:
        with _patient():
            super().flush()

    def receive(self, size: int = 16_384) -> None:
        assert isinstance(self.socket, ssl.SSLSocket)
        with _patient():
            super().receive(size)
            while self.socket.pending():
                super().receive(size)


@contextmanager
def _patient() -> Iterator[None]:
    try:
        yield
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return


def trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
