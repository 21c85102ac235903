"""The server's flags: the same for ``chat-server``, ``python cmd/server`` and ``twistd chat``."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, NoReturn, TypeVar

from twisted.python.usage import Options as UsageOptions
from twisted.python.usage import UsageError

from storage.interface import Auth
from wire.frames import MAX_ROOMS

N = TypeVar("N", int, float)


def _at_least(least: N, kind: Callable[[str], N], what: str, most: N | None = None) -> Callable[[Any], N]:
    """Return a function that reads a number from a flag's text; raises ValueError, which names the flag's fault."""

    def read(text: Any) -> N:
        try:
            value = kind(text)
        except ValueError:
            raise ValueError(f"{text!r} is not {what}") from None
        if not (value >= least and (most is None or value <= most)):  # so that NaN is refused too
            raise ValueError(f"{text!r} is not {what}")
        return value

    return read


def _some(text: str) -> str:
    """Read what must not be empty, as a variable may be that was never set: it would listen everywhere."""
    if not text:
        raise ValueError("it is empty")
    return text


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in choices:
            raise ValueError(f"{text!r} is not one of {', '.join(choices)}")
        return text

    return read


_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) *([KMGT]?)B?", re.ASCII | re.IGNORECASE)


def _bytes(text: Any) -> int | None:
    """Read ``10GB``, ``500 M`` or ``1000``; None stands for no limit."""
    if text is None:
        return None
    parts = _SIZE.fullmatch(str(text).strip())
    if parts is None or not (size := int(float(parts[1]) * _UNITS[parts[2].upper()])):
        raise ValueError(f"{text!r} is not a size like 500MB or 20GB")
    return size


_port = _at_least(0, int, "a port from 0 to 65535", 65535)
_seconds = _at_least(0.05, float, "a number of seconds, 0.05 or more", 86400.0)

DEFAULT_DB = "sqlite:///chat.db"


def database(said: str | None) -> str:
    """Return the URL of the database: as a flag said, or the environment, or the default one; raises UsageError."""
    url = said or os.environ.get("CHAT_DB") or DEFAULT_DB
    password_file = os.environ.get("CHAT_DB_PASSWORD_FILE")
    return _with_password(url, Path(password_file)) if password_file else url


def _with_password(url: str, file: Path) -> str:
    """Return ``url`` with the password that stands in ``file``, if it names a user; raises UsageError."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except ArgumentError:
        return url  # who opens it says what is wrong
    if parsed.username is None:
        return url
    try:
        password = file.read_text().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as wrong:
        raise UsageError(f"CHAT_DB_PASSWORD_FILE: {wrong}") from None
    return parsed.set(password=password).render_as_string(hide_password=False)


def print_version() -> NoReturn:
    """Print the version and exit."""
    from server import __version__

    print(f"chat-server {__version__}")
    raise SystemExit(0)


class Options(UsageOptions):
    """Flags of the server. A wrong one ends the program with one line and status 1."""

    synopsis = "Usage: chat-server [options]   (or: twistd -n chat [options])"
    longdesc = "Console Chat's server. People connect to it with `chat NAME`."

    optParameters: ClassVar[list[list[Any]]] = [
        ["port", "p", 7777, "TCP port to listen on, on all addresses (0: any free one).", _port],
        ["tls-cert", None, None,
         "PEM file with the certificate and its chain: --port then speaks TLS, and --listen where it says tls:. A"
         " renewed one is taken without a restart.", str],
        ["tls-key", None, None, "PEM file with its key. [default: it stands in the same file]", str],
        ["db", None, None, "SQLAlchemy URL of the database; also by $CHAT_DB, and its user's password by a file that"
         f" $CHAT_DB_PASSWORD_FILE names. [default: {DEFAULT_DB}]"],
        ["history", None, 100, "Messages that a client gets after login if it does not say.",
         _at_least(0, int, "a number of messages from 0 to 500", 500)],
        ["auth", None, Auth.OPEN,
         "Who may log in: open (anybody by any free name), accounts (the same, but a name that has an account needs its"
         " password), closed (who has an account).", lambda text: Auth(_one_of(*Auth)(text))],
        ["max-clients", None, 10_000, "Connections at once.", _at_least(1, int, "a number of connections, 1 or more")],
        ["grace", None, 5.0, "Seconds that slow clients have at a shutdown.", _seconds],
        ["ping", None, 30.0, "Seconds of silence after which a client is pinged.", _seconds],
        ["db-wait", None, 60.0, "Seconds to wait at the start for a database that does not answer yet.",
         _at_least(0.0, float, "a number of seconds", 86400.0)],
        ["max-message", None, None, "Size of the largest message or file, e.g. 500MB. [default: any]", _bytes],
        ["max-storage", None, None,
         "Size of the database from which on nothing new is taken, while reading goes on, e.g. 20GB. [default: none]",
         _bytes],
        ["max-per-address", None, 1_000, "Connections at once from one address (IPv6: /64), this machine's aside.",
         _at_least(1, int, "a number of connections, 1 or more")],
        ["logins-per-minute", None, 600,
         "Logins a minute from one address, this machine's aside; more are slowed down, then refused. Registering,"
         " making a room and keeping order in one count as well.",
         _at_least(1, int, "a number of logins, 1 or more")],
        ["message-rate", None, None, "Messages a second of one client; who sends more is slowed down. [default: any]",
         _at_least(0.01, float, "a number of messages, 0.01 or more", 1e9)],
        ["byte-rate", None, None, "Bytes a second of one client, likewise, e.g. 1MB. [default: any]", _bytes],
        ["max-rooms", None, MAX_ROOMS, "Rooms that one client is in at once.",
         _at_least(1, int, f"a number of rooms from 1 to {MAX_ROOMS}", MAX_ROOMS)],
        ["max-uploads", None, 100, "Unfinished uploads of one client.",
         _at_least(1, int, "a number of uploads, 1 or more")],
        ["metrics-port", None, None,
         "TCP port of /metrics for Prometheus, /health and /ready, on this machine only (0: any free one)."
         " [default: none]", _port],
        ["metrics-interface", None, "127.0.0.1", "Address to listen on there, e.g. 0.0.0.0 for all.", _some],
        ["log-format", None, "text", "How the log is written: text or json, a line an event.", _one_of("text", "json")],
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self["listen"] = []

    def opt_listen(self, endpoint: str) -> None:
        """Twisted endpoint to listen on in place of --port, e.g. tcp:7777:interface=127.0.0.1 or unix:/run/chat, with tls: before it for TLS; may be repeated."""  # noqa: E501
        self["listen"].append(endpoint)

    def opt_version(self) -> NoReturn:
        """Print the version and exit."""
        print_version()

    def parseArgs(self, *arguments: str) -> None:
        """Refuse a word that is no flag: twistd's ``chat`` serves, and nothing else."""
        if arguments:
            raise UsageError(f"there is no command {arguments[0]!r}")

    def postOptions(self) -> None:
        """Fill in what is not given by a flag."""
        self["db"] = database(self["db"])
        self["listen"] = self["listen"] or [f"{'tls:' if self['tls-cert'] else ''}tcp:{self['port']}"]
        self._check_tls()
        if self.parent is not None and self["log-format"] == "json":
            from server.logs import json_to_stdout

            self.parent["logger"] = json_to_stdout  # twistd's own flag of that name

    def _check_tls(self) -> None:
        """See that who gave a certificate is nowhere without it unknowingly; raises UsageError."""
        secured = any(said.startswith("tls:") for said in self["listen"])
        if self["tls-cert"] is None and (secured or self["tls-key"] is not None):
            raise UsageError("TLS needs a certificate: --tls-cert FILE")
        if self["tls-cert"] is not None and not secured:
            raise UsageError("no --listen takes the --tls-cert; with TLS it is --listen tls:ENDPOINT")
        self["tls-key"] = self["tls-key"] or self["tls-cert"]

    def parseOptions(self, options: list[str] | None = None) -> None:
        """Read the flags; ends the program with a line where one is wrong."""
        try:
            super().parseOptions(options)  # type: ignore[no-untyped-call]
        except UsageError as wrong:
            see = f"chat-server {self.subCommand} --help" if self.subCommand else "--help"
            raise SystemExit(f"chat-server: {_one_line(wrong)}; see {see}") from None
        except SystemExit:
            print(end="", flush=True)  # what --help told: later nobody sees to it that it is read
            raise


def _one_line(error: UsageError) -> str:
    text = str(error).removeprefix("Parameter type enforcement failed: ")
    return " ".join(text.split()).rstrip(".")
