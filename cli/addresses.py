"""Where a chat is: the addresses of its servers."""

from __future__ import annotations

import re
from typing import Final

SECURED: Final = "tls://"
ONE: Final = re.compile(r"(?P<tls>tls://)?(?:\[(?P<v6>[^\]]*)\]|(?P<host>[^:]*))(?::(?P<port>[0-9]+))?")

Address = tuple[str, int]


def addresses(hosts: str, port: int) -> list[Address]:
    """Return host and port of each of the servers ``A,B:7778,[::1]:7779``; ``port`` where none is said.

    One may begin with ``tls://``, which is for :func:`are_secured` to see.

    Raises ValueError for what is none.
    """
    return [_address(host.strip(), port) for host in hosts.split(",")]


def written(hosts: str, port: int) -> str:
    """Return the same servers as a person writes them, each with its port: ``A:7777,B:7778,[::1]:7779``."""
    return ",".join(f"[{host}]:{at}" if ":" in host else f"{host}:{at}" for host, at in addresses(hosts, port))


def are_secured(hosts: str) -> bool:
    """Whether it says of any of the servers, and so of all of this chat, that TLS is spoken there."""
    return any(host.strip().startswith(SECURED) for host in hosts.split(","))


def _address(host: str, port: int) -> Address:
    host = host.removeprefix(SECURED)
    if host.count(":") > 1 and not host.startswith("["):  # a bare IPv6 address
        return host, port
    parts = ONE.fullmatch(host)
    if parts is None or not (name := parts["v6"] or parts["host"]):
        raise ValueError(f"{host!r} is no HOST[:PORT]")
    own = int(parts["port"] or port)
    if not 0 < own < 65536:
        raise ValueError(f"{host!r} has no port from 1 to 65535")
    return name, own
