"""Work (f): so many are there and say nothing. Bytes of the server's memory for each, and what of a core they take."""

from __future__ import annotations

import time
from typing import Final

from bench import runs
from bench.load import Crowd, names
from bench.peers import ALL, Served

SETTLING: Final = 3.0  # seconds in which who came is told to who was there


def measure(server: Served, clients: int, seconds: float) -> runs.Measured:
    """Let them in, wait, and yield the figures."""
    before = server.memory()
    with Crowd() as crowd:
        crowd.enter(server.address, [server.entering(name) for name in names(clients)], server.at_once)
        serve(crowd, SETTLING)
        cpu = server.cpu()
        serve(crowd, seconds)
        cpu = (server.cpu() - cpu) / seconds
        memory = server.memory()
    figures = {"core": cpu, "bytes": (memory - before) / clients, "before": before, "memory": memory}
    yield [({"clients": clients}, figures)]


def serve(crowd: Crowd, seconds: float) -> None:
    """Read what comes for so long."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        crowd.turn(left)


def main() -> None:
    """Measure what the flags say."""
    flags = runs.flags(__doc__)
    flags.add_argument("--clients", type=int, default=10_000, help="how many [10000]")
    flags.add_argument("--seconds", type=float, default=10, help="for which the processor time is taken [10]")
    given = flags.parse_args()
    able = [server for server in ALL if given.clients <= server.most]
    runs.interleaved("idle", given, able, lambda server: measure(server, given.clients, given.seconds))


if __name__ == "__main__":
    main()
