"""Passwords as they are kept: as argon2id hashes, which take so long and so much memory that guessing does not pay."""

from __future__ import annotations

from typing import Final
from unicodedata import normalize

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from server.journal import InThread
from server.refusals import Refused

MAX_PASSWORD: Final = 1024  # bytes

# The least that OWASP recommends. Each takes a core for a fortieth of a second, and 19 MiB.
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# No password's: it takes as long to find that out.
_NOBODY: Final = f"$argon2id$v=19$m={19 * 1024},t=2,p=1${'A' * 22}${'A' * 43}"


class Passwords:
    """Hashes, and compares with hashes, by ``in_thread``."""

    _log = Logger()

    def __init__(self, in_thread: InThread) -> None:
        self._in_thread = in_thread

    def hash(self, password: str) -> Deferred[str]:
        """Return the hash of a password, with a salt drawn for it."""
        return self._in_thread(hashed, password)

    def match(self, password: str, hash: str | None) -> Deferred[bool]:
        """Return whether a hash is of that password; None is of none, which takes as long to say."""
        return self._in_thread(self._match, _bytes(password), _NOBODY if hash is None else hash)

    def _match(self, password: bytes, hash: str) -> bool:
        try:
            return _HASHER.verify(hash, password)
        except VerifyMismatchError:
            return False
        except (VerificationError, InvalidHashError):
            self._log.failure("a password in the database cannot be compared with")
            return False


def hashed(password: str) -> str:
    """Return the hash of a password, with a salt drawn for it; takes a while."""
    return _HASHER.hash(_bytes(password))


def checked(password: str) -> str:
    """Return ``password``; raises :class:`Refused` for one that the protocol does not allow."""
    if len(password.encode()) > MAX_PASSWORD:
        raise Refused("bad_frame", f"a password has at most {MAX_PASSWORD} bytes")
    return password


def _bytes(password: str) -> bytes:
    return normalize("NFC", password).encode()  # not every keyboard makes the same of an é
