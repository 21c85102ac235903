"""A person's password for a server: from a file, from the system's keyring, or typed."""

from __future__ import annotations

import os
import signal
from getpass import getpass
from importlib.util import find_spec
from pathlib import Path

KEYRING = "console-chat"  # under which passwords stand in the system's keyring, by ann@HOST:PORT


class BadPasswordFile(Exception):
    """The file that a password is to be in cannot be used; the text says why."""


def in_file(path: str) -> str | None:
    """Return the first line of the file at ``path``, or else of the one that $CHAT_PASSWORD_FILE names.

    None where neither is named; raises :class:`BadPasswordFile`.
    """
    path = path or os.environ.get("CHAT_PASSWORD_FILE", "")
    if not path:
        return None
    try:
        with Path(path).expanduser().open(encoding="utf-8") as file:
            return file.readline().rstrip("\r\n")
    except (OSError, UnicodeDecodeError, RuntimeError) as wrong:
        why = wrong.strerror if isinstance(wrong, OSError) else str(wrong)
        raise BadPasswordFile(f"the password is to be in {path}: {why}") from None


def in_keyring(user: str, server: str) -> str | None:
    """Return what the system's keyring has for ``user`` at ``server``; None where there is none, or no keyring."""
    if find_spec("keyring") is None:
        return None
    import keyring  # an extra, and slow to load
    from keyring.errors import KeyringError

    try:
        found: str | None = keyring.get_password(KEYRING, f"{user}@{server}")
    except KeyringError:
        return None
    return found


def typed(why: str) -> str | None:
    """Ask for a password in the terminal and return it; None where there is no terminal, or nothing was typed.

    Everything else waits meanwhile.
    """
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return None
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return getpass(f"{why}\npassword: ") or None
    except (EOFError, KeyboardInterrupt):
        return None
    finally:
        signal.signal(signal.SIGINT, before)
