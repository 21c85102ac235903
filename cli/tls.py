"""TLS to a server: what it must show, and in plain words why it was not believed."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Final

from cryptography.x509 import load_pem_x509_certificates
from OpenSSL import SSL
from OpenSSL.crypto import X509
from service_identity import CertificateError, VerificationError
from service_identity.cryptography import verify_certificate_hostname, verify_certificate_ip_address
from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import Certificate, CertificateOptions, platformTrust, trustRootFromCertificates
from twisted.python.failure import Failure
from zope.interface import implementer

# X509_V_ERR_… of OpenSSL's x509_vfy.h.
_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
_UNKNOWN_SIGNERS: Final = (2, 18, 19, 20, 21)

_FAULTS: Final = {
    _EXPIRED: "its certificate has expired; who runs the server has to renew it",
    _NOT_YET_VALID: "its certificate is not valid yet; is the clock of this machine right?",
}
_UNSIGNED: Final = (
    "nobody whom this machine trusts has signed its certificate; if who runs the server signed it,"
    " --tls-ca FILE names theirs, else somebody stands between"
)
_SIGNED: Final = "has signed its certificate; where that is the right file, somebody stands between"
_ANOTHER_NAME: Final = "its certificate is for another name; is the address right? If so, somebody stands between"
_NO_VERSION: Final = "it speaks no version of TLS that is safe; it must be 1.2 or newer"
_NOT_TLS: Final = "it does not speak TLS; is the port right? Without --tls nothing would be secret"


class Untrusted(Exception):
    """The server's certificate is not to be believed; the text says why, and what to do."""


class BadAuthorities(ValueError):
    """A file of authorities cannot be used; the text says why, and names the file."""


@implementer(IOpenSSLClientConnectionCreator)
class Verified:
    """TLS to ``host``, whose certificate must be for it, and signed by who is trusted.

    That is whom the system trusts, or in their place those whose certificates stand in the PEM file ``authorities``;
    raises :class:`BadAuthorities`.
    """

    def __init__(self, host: str, authorities: Path | None = None) -> None:
        trusted = platformTrust() if authorities is None else trustRootFromCertificates(_certificates(authorities))
        unsigned = _UNSIGNED if authorities is None else f"nobody in {authorities} {_SIGNED}"
        self._faults = {**_FAULTS, **dict.fromkeys(_UNKNOWN_SIGNERS, unsigned)}
        self._context = CertificateOptions(trustRoot=trusted).getContext()
        self._host = host
        self._is_address = isIPAddress(host) or isIPv6Address(host)

    def clientConnectionForTLS(self, protocol: Any) -> SSL.Connection:
        """Begin a handshake, in which ``protocol`` is told what is wrong.

        Twisted's own check of the same would tell only of the name; who is expired and who is signed by nobody would
        look alike.
        """
        connection = SSL.Connection(self._context, None)
        if not self._is_address:
            connection.set_tlsext_host_name(self._host.encode("idna"))
        connection.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, partial(self._check, protocol))
        return connection

    def _check(self, protocol: Any, _: SSL.Connection, shown: X509, error: int, depth: int, signed: int) -> bool:
        """Say whether one certificate of the chain is good; OpenSSL looked at all but the name, which the last has."""
        fault = ""
        if not signed:
            fault = self._faults.get(error, f"its certificate is refused (OpenSSL's error {error})")
        elif depth == 0 and not self._is_for_host(shown):
            fault = _ANOTHER_NAME
        if fault:
            protocol.failVerification(Failure(Untrusted(fault)))
        return not fault

    def _is_for_host(self, shown: X509) -> bool:
        verify = verify_certificate_ip_address if self._is_address else verify_certificate_hostname
        try:
            verify(shown.to_cryptography(), self._host)
        except (VerificationError, CertificateError):
            return False
        return True


def why(reason: Failure) -> str:
    """Return why a connection ended, for a person, if TLS is why; else nothing."""
    match reason.value:
        case Untrusted():
            return str(reason.value)
        case SSL.Error():
            faults = str(reason.value)
            return _NO_VERSION if "unsupported protocol" in faults or "alert protocol version" in faults else _NOT_TLS
    return ""


def _certificates(file: Path) -> list[Certificate]:
    try:
        found = load_pem_x509_certificates(file.read_bytes())
    except OSError as wrong:
        raise BadAuthorities(f"{file}: {wrong.strerror}") from None
    except ValueError:
        raise BadAuthorities(f"{file}: there is no certificate in it, as PEM") from None
    return [Certificate(X509.from_cryptography(certificate)) for certificate in found]
