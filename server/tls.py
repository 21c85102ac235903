"""TLS for those who listen: one certificate, taken anew from its files when they are renewed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IProtocolFactory, IReactorTime
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from zope.interface import implementer


class BadCertificate(Exception):
    """A certificate or its key cannot be used; the text says why, and names the file."""


class Secured(TLSMemoryBIOFactory):
    """Speaks TLS for a factory. Writes go out at once: what belongs together is gathered before."""

    protocol = TLSMemoryBIOProtocol


@implementer(IOpenSSLServerConnectionCreator)
class Certificate:
    """A certificate with its chain, and its key, PEM in ``cert`` and ``key``; raises :class:`BadCertificate`.

    The files are looked at with each handshake, so a renewed pair counts for whoever comes next. One that cannot be
    used, as while only one of both is written, leaves the one before in its place.
    """

    _log = Logger()

    def __init__(self, cert: Path, key: Path) -> None:
        self._cert = cert
        self._key = key
        self._seen = self._look()
        self._context = self._load()

    def secure(self, factory: IProtocolFactory, clock: IReactorTime) -> IProtocolFactory:
        """Return a factory that speaks TLS for ``factory``."""
        return Secured(self, False, factory, clock)

    def serverConnectionForTLS(self, protocol: Any) -> SSL.Connection:  # noqa: ARG002
        """Begin a handshake."""
        seen = self._look()
        if seen != self._seen:
            self._seen = seen
            self._renew()
        return SSL.Connection(self._context, None)

    def _renew(self) -> None:
        try:
            self._context = self._load()
        except BadCertificate as wrong:
            self._log.error("the new certificate cannot be used, the old one stays: {why}", why=str(wrong))
        else:
            self._log.info("the new certificate of {file} counts from now on", file=str(self._cert))

    def _look(self) -> object:
        """Return what is different once a file was written anew."""
        try:
            return [(found.st_mtime_ns, found.st_ino, found.st_size) for found in map(Path.stat, self._files)]
        except OSError as wrong:
            return wrong.errno

    def _load(self) -> SSL.Context:
        context = _context()
        for file in self._files:
            try:
                file.read_bytes()
            except OSError as wrong:
                raise BadCertificate(f"{file}: {wrong.strerror}") from None
        try:
            context.use_certificate_chain_file(str(self._cert))
        except SSL.Error:
            raise BadCertificate(f"{self._cert}: there is no certificate in it, as PEM") from None
        try:
            # By OpenSSL itself the terminal would be asked for a passphrase, while everybody waits.
            context.use_privatekey(load_pem_private_key(self._key.read_bytes(), None))  # type: ignore[arg-type]
            context.check_privatekey()
        except TypeError:
            raise BadCertificate(
                f"{self._key}: it has a passphrase, which nobody could type in time;"
                f" openssl pkey -in {self._key} -out FILE writes it without"
            ) from None
        except (ValueError, UnsupportedAlgorithm, SSL.Error):
            raise BadCertificate(f"{self._key}: there is no key of {self._cert} in it, as PEM") from None
        return context

    @property
    def _files(self) -> tuple[Path, Path]:
        return self._cert, self._key


def _context() -> SSL.Context:
    """Return what Twisted's ``CertificateOptions`` would, but for its callbacks.

    Those need memory that can be written and executed, which a hardened service is not given.
    """
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_cipher_list(b"ECDHE+AESGCM:ECDHE+CHACHA20")  # of TLS 1.2; all of 1.3 are good
    context.set_options(SSL.OP_CIPHER_SERVER_PREFERENCE | SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_TICKET)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)  # most connections are idle
    return context
