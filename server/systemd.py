"""What systemd is told: the service is ready, alive, about to end. Without systemd nothing is said."""

from __future__ import annotations

import os
from socket import AF_UNIX, SOCK_CLOEXEC, SOCK_DGRAM, socket
from typing import Any

from twisted.internet.task import LoopingCall
from twisted.logger import Logger

_log = Logger()


def notify(state: str) -> None:
    """Tell ``state``, as in ``STOPPING=1``, to whoever listens at $NOTIFY_SOCKET; see sd_notify(3)."""
    path = os.environ.get("NOTIFY_SOCKET")
    if not path:
        return
    with socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC) as teller:
        teller.setblocking(False)
        try:
            teller.sendto(state.encode(), path.replace("@", "\0", 1) if path[0] == "@" else path)
        except OSError:  # nobody listens any more: a chat goes on without systemd
            return


def ready(reactor: Any) -> None:
    """Tell that the server serves, and then twice as often as systemd asks for it that the reactor still turns."""
    notify("READY=1")
    interval = int(os.environ.get("WATCHDOG_USEC", 0)) / 2_000_000  # seconds
    if interval:
        alive = LoopingCall(notify, "WATCHDOG=1")
        alive.clock = reactor
        alive.start(interval).addErrback(lambda failure: _log.failure("the watchdog is no longer fed", failure))
