"""Ports for what is started on them only later, or again."""

from __future__ import annotations

import random
from contextlib import ExitStack
from pathlib import Path
from socket import create_server

_GIVEN = Path("/proc/sys/net/ipv4/ip_local_port_range")  # out of which any connection may get one meanwhile


def free_ports(count: int) -> list[int]:
    """Return ports that nobody has, and that no connection is given while nothing listens on them."""
    first_given = int(_GIVEN.read_text().split()[0])
    chosen = random.SystemRandom().sample(range(10_000, max(first_given, 20_000)), 2 * count)
    with ExitStack() as stack:
        free: list[int] = []
        for port in chosen:
            try:
                stack.enter_context(create_server(("127.0.0.1", port)))
            except OSError:  # somebody has it
                continue
            free.append(port)
        return free[:count]
