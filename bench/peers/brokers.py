"""Servers that pass messages on and keep nothing: redis' publish/subscribe and NATS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from bench.load import Step
from bench.peers.process import Served


class Redis(Served):
    """Publish/subscribe, without a bound for what waits for a slow client."""

    name: ClassVar = "redis"
    program: ClassVar = "redis-server"
    package: ClassVar = "redis-server"

    def command(self) -> Sequence[str]:  # noqa: D102
        limits = ["--maxclients", "15000", "--tcp-backlog", "4096", "--client-output-buffer-limit", "pubsub 0 0 0"]
        where = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder)]
        return [self.find(), *where, *limits, "--save", "", "--appendonly", "no"]

    def entering(self, name: str, room: str = "lobby") -> Sequence[Step]:  # noqa: ARG002, D102
        return [(b"SUBSCRIBE %s\r\n" % room.encode(), b":1\r\n")]

    def speaking(self, name: str, room: str = "lobby") -> Sequence[Step]:  # noqa: ARG002, D102
        return [(b"PING\r\n", b"+PONG\r\n")]

    def saying(self, number: int, body: bytes, room: str = "lobby") -> bytes:  # noqa: ARG002, D102
        words = (b"PUBLISH", room.encode(), body)
        return b"*3\r\n" + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


class Nats(Served):
    """Without a bound for what waits for a slow client, or for how long."""

    name: ClassVar = "nats"
    program: ClassVar = "nats-server"
    package: ClassVar = "nats-server"
    one_order: ClassVar = False

    _CONFIGURATION = (
        'max_connections: 50000, max_pending: 16GB, write_deadline: "600s", ping_interval: "600s", max_payload: 1MB'
    )

    def command(self) -> Sequence[str]:  # noqa: D102
        file = self.folder / "nats.conf"
        file.write_text(self._CONFIGURATION.replace(", ", "\n"))
        return [self.find(), "--addr", "127.0.0.1", "--port", str(self.port), "--config", str(file)]

    def entering(self, name: str, room: str = "lobby") -> Sequence[Step]:  # noqa: D102
        subscribe = b"SUB %s 1\r\nPING\r\n" % room.encode()
        return [*self.speaking(name), (subscribe, b"PONG\r\n")]

    def speaking(self, name: str, room: str = "lobby") -> Sequence[Step]:  # noqa: ARG002, D102
        return [(b'CONNECT {"verbose":false,"pedantic":false}\r\nPING\r\n', b"PONG\r\n")]

    def saying(self, number: int, body: bytes, room: str = "lobby") -> bytes:  # noqa: ARG002, D102
        return b"PUB %s %d\r\n%s\r\n" % (room.encode(), len(body), body)
