"""Work (d): so many connect and log in at once, and each is given the last hundred messages. Seconds until all are."""

from __future__ import annotations

import time
from typing import Final

from bench import runs
from bench.body import body
from bench.load import Broken, Crowd, Talker, connect, names
from bench.peers import ChatOnMariaDB, ConsoleChat, Served
from wire.frames import Login, encode

HISTORY: Final = 100  # messages
SIZE: Final = 100  # bytes of each


def measure(server: Served, clients: int) -> runs.Measured:
    """Let them in, and yield the figures."""
    with Crowd() as crowd:
        talk_before(server, crowd)
        cpu, began = server.cpu(), time.monotonic()
        coming = [_comes(server, crowd, name) for name in names(clients)]
        crowd.until(lambda: crowd.arrived >= clients * HISTORY)
        seconds, cpu = time.monotonic() - began, server.cpu() - cpu
        if any(client.received != HISTORY for client in coming):
            raise Broken("somebody was given more than the rest")
    yield [({"clients": clients}, {"seconds": seconds, "cpu": cpu / clients})]


def talk_before(server: Served, crowd: Crowd) -> None:
    """Have a hundred messages said, so that there is a history."""
    [sock] = crowd.enter(server.address, [server.speaking(name) for name in names(1)], 1)
    crowd.add(sender := Talker(sock))
    sender.say(b"".join(server.saying(number, body(0, number, SIZE)) for number in range(1, HISTORY + 1)))
    crowd.speaks(sender)
    crowd.until(lambda: sender.received >= HISTORY)
    crowd.arrived = 0


def _comes(server: Served, crowd: Crowd, name: str) -> Talker:
    client = Talker(connect(server.address))
    client.say(encode(Login(name, client=name, history=HISTORY)))
    crowd.add(client)
    crowd.speaks(client)
    crowd.turn(0)
    return client


def main() -> None:
    """Measure what the flags say."""
    servers = (ConsoleChat, ChatOnMariaDB)
    flags = runs.flags(__doc__, servers)
    flags.add_argument("--clients", type=int, default=5000, help="how many come [5000]")
    given = flags.parse_args()
    runs.interleaved("logins", given, servers, lambda server: measure(server, given.clients))


if __name__ == "__main__":
    main()
