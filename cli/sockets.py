"""What the kernel is told about a client's socket."""

from __future__ import annotations

import socket
from typing import Any, Final

from twisted.protocols.policies import ProtocolWrapper

READ: Final = 16 * 1024  # bytes that are read at once: some hundred messages, which a key that was pressed waits for
UNSENT: Final = 64 * 1024  # bytes that the kernel may hold unsent: what is typed is never behind more of an upload


def tune(transport: Any) -> None:
    """Set up a connection for a chat, and its socket where that is TCP."""
    while isinstance(transport, ProtocolWrapper):  # TLS: what is set up is below it
        transport = transport.transport
    transport.bufferSize = READ  # as much may wait to be written before a producer is paused
    handle = transport.getHandle() if hasattr(transport, "getHandle") else None
    if isinstance(handle, socket.socket) and handle.family in (socket.AF_INET, socket.AF_INET6):
        handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
