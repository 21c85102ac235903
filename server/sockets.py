"""What the kernel is told and asked about a socket; the rest of the server knows nothing of sockets."""

from __future__ import annotations

import resource
import socket
import struct
from typing import Any, Final

from twisted.protocols.policies import ProtocolWrapper

UNSENT: Final = 64 * 1024  # bytes that the kernel may hold unsent: a `bye` is never behind more than this

# struct tcp_info of linux/tcp.h: bytes 2 and 3 are retransmits and probes, the 32-bit word at 56 is last_ack_recv (ms).
# Byte 0 is the state, of include/net/tcp_states.h.
_TCP_CLOSE: Final = 7
_TCP_INFO: Final = struct.Struct("=xxBB52xI")


def tune(transport: Any) -> None:
    """Set a new connection's socket up for a chat."""
    handle = _tcp(transport)
    if handle is not None:
        handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)


def unacknowledged_for(transport: Any) -> float:
    """Return for how many seconds the peer's machine has left unanswered what was sent to it, 0.0 if it has not.

    A full window is probed only every two minutes, but its probes are answered: such a peer is slow, not gone.
    """
    handle = _tcp(transport)
    if handle is None:
        return 0.0
    try:
        info = handle.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
    except OSError:  # it has just been closed
        return 0.0
    retransmits, probes, last_ack = _TCP_INFO.unpack(info)
    return float(last_ack) / 1000 if retransmits + probes > 1 else 0.0


def is_reset(transport: Any) -> bool:
    """Say whether the peer has cut the connection off, which the transport finds when all that came before is read."""
    handle = _tcp(transport)
    return handle is not None and handle.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _TCP_CLOSE


def raw(transport: Any) -> Any:
    """Return what is at the bottom of ``transport``: under TLS, the socket's own."""
    while isinstance(transport, ProtocolWrapper):
        transport = transport.transport
    return transport


def _tcp(transport: Any) -> socket.socket | None:
    bottom = raw(transport)
    handle = bottom.getHandle() if hasattr(bottom, "getHandle") else None
    is_tcp = isinstance(handle, socket.socket) and handle.family in (socket.AF_INET, socket.AF_INET6)
    return handle if is_tcp else None


def raise_file_limit() -> int:
    """Raise the soft limit of open files to the hard one and return it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
