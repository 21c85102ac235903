"""``health``: does the server answer?"""

from __future__ import annotations

import socket
import ssl
from contextlib import closing
from typing import Any, ClassVar, Final

from twisted.python.usage import UsageError

from server.commands.command import Command, Refused
from wire.frames import Ping, Pong, encode

TIMEOUT: Final = 5.0  # seconds
TLS: Final = "tls:"
_REF: Final = 1
_PING: Final = encode(Ping(_REF))
_PONG: Final = encode(Pong(_REF))


class Health(Command):
    """Pings as a client does that has not logged in: so that the reactor's loop turns is seen, and no name is taken.

    Who hangs up without a word speaks TLS perhaps, and is asked again so. Whatever certificate is shown will do: it is
    not about secrets.
    """

    synopsis: ClassVar[str] = "[[tls:]HOST:PORT | [tls:]PORT | /PATH/OF/A/SOCKET]   [default: 7777 on this machine]"

    def parseArgs(self, *arguments: str) -> None:
        """Take the address, as the server's log tells it."""
        if len(arguments) > 1:
            raise UsageError("name one address")
        said = arguments[0] if arguments else "7777"
        self["tls"] = said.startswith(TLS)
        self["address"] = _address(said.removeprefix(TLS))

    def run(self) -> int:
        """Ask."""
        where = self["address"]
        try:
            answer = _ask(where, self["tls"])
            if not answer and not self["tls"]:
                answer = _ask(where, tls=True)
        except ssl.SSLError:
            answer = b""
        except OSError as wrong:
            raise Refused(f"the server at {_shown(where)} does not answer: {wrong.strerror or wrong}") from None
        if answer != _PONG:
            raise Refused(f"what answers at {_shown(where)} is no chat server")
        return 0


def _address(text: str) -> Any:
    """Return a UNIX socket's path, or a host and a port."""
    if text.startswith("/"):
        return text
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) < 2**16):
        raise UsageError(f"{text!r} is no address like 127.0.0.1:7777")
    return host.strip("[]") or "127.0.0.1", int(port)


def _ask(where: Any, tls: bool) -> bytes:
    """Return the answer to a ping."""
    with closing(_connect(where, tls)) as connection:
        connection.sendall(_PING)
        return _answer(connection)


def _connect(where: Any, tls: bool) -> socket.socket:
    if isinstance(where, str):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(TIMEOUT)
        connection.connect(where)
    else:
        connection = socket.create_connection(where, TIMEOUT)
    if not tls:
        return connection
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(connection)


def _answer(connection: socket.socket) -> bytes:
    """Return what the server says first: as many bytes as the answer has."""
    answer = b""
    while len(answer) < len(_PONG) and (data := connection.recv(len(_PONG) - len(answer))):
        answer += data
    return answer


def _shown(where: Any) -> str:
    return where if isinstance(where, str) else f"{where[0]}:{where[1]}"
