"""Whether a server answers: by the standard library alone, for who asks every few seconds and waits for no more."""

from __future__ import annotations

import socket
from typing import Final

TIMEOUT: Final = 5.0  # seconds
TLS: Final = "tls:"
HERE: Final = "7777"
PING: Final = b'23:{"type":"ping","ref":1},'
PONG: Final = b'23:{"type":"pong","ref":1},'

Address = str | tuple[str, int]  # of a UNIX socket its path


class Unwell(Exception):
    """It does not answer as a server does."""


def ping(said: str = HERE) -> None:
    """Ping the server at [tls:]HOST:PORT, [tls:]PORT or the path of a UNIX socket.

    As a client does that has not logged in: that the reactor's loop turns is seen, and no name is taken. Who hangs up
    without a word speaks TLS perhaps, and is asked again so. Whatever certificate is shown will do: it is not about
    secrets. Raises :class:`Unwell`, and ValueError where ``said`` is no address.
    """
    where = address(said)
    try:
        answer = b"" if said.startswith(TLS) else _ask(where)
        if not answer:
            answer = _ask_by_tls(where)
    except OSError as wrong:
        raise Unwell(f"the server at {_shown(where)} does not answer: {wrong.strerror or wrong}") from None
    if answer != PONG:
        raise Unwell(f"what answers at {_shown(where)} is no chat server")


def address(said: str) -> Address:
    """Return the address that is said; raises ValueError."""
    said = said.removeprefix(TLS)
    if said.startswith("/"):
        return said
    host, _, port = said.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) < 2**16):
        raise ValueError(f"{said!r} is no address like 127.0.0.1:7777")
    return host.strip("[]") or "127.0.0.1", int(port)


def _ask(where: Address) -> bytes:
    """Return the answer to a ping."""
    with _connect(where) as connection:
        return _answer(connection)


def _ask_by_tls(where: Address) -> bytes:
    import ssl  # a third of what all else takes

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with _connect(where) as connection, context.wrap_socket(connection) as secured:
            return _answer(secured)
    except ssl.SSLError:
        return b""


def _connect(where: Address) -> socket.socket:
    if not isinstance(where, str):
        return socket.create_connection(where, TIMEOUT)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(TIMEOUT)
    connection.connect(where)
    return connection


def _answer(connection: socket.socket) -> bytes:
    """Return what the server says first: as many bytes as the answer has."""
    connection.sendall(PING)
    answer = b""
    while len(answer) < len(PONG) and (data := connection.recv(len(PONG) - len(answer))):
        answer += data
    return answer


def _shown(where: Address) -> str:
    return where if isinstance(where, str) else f"{where[0]}:{where[1]}"
