"""What attacks cost the others: 200 people talk, 50 messages a second, and each attack goes on beside them.

Printed are p50 and p99 of the delay from a message's sending to its arrival, before the attack and while it lasts, in
milliseconds, and the server's memory. The goal is a p99 below twice what it was, and 5 ms more. Attackers are in
reality on other machines: here they are a process that runs only where nobody else wants the processor (SCHED_IDLE).
"""

from __future__ import annotations

import argparse
import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.context import ForkProcess
from typing import Final, NamedTuple, Self

from bench.attackers import ATTACKS, Attack, Target
from bench.fanout import check, gather
from bench.latency import ONE_IN, SIZE, Talk, forget_delays, percentiles
from bench.load import Broken, Crowd, raise_limits
from bench.peers import ConsoleChat
from tests.mariadb import MariaDB
from tests.tls import Authority

PEOPLE: Final = 200
RATE: Final = 50  # messages a second
BEGINNING: Final = 2.0  # seconds of an attack that do not count: it takes them to connect
MAY_BE: Final = 2, 5.0  # times what it was, and milliseconds more
PLACES: Final = "1500"  # of the server


class Attacked(ConsoleChat):
    """A server with accounts, which listens with TLS too."""

    def __enter__(self) -> Self:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.tls: tuple[str, int] = probe.getsockname()
        self._chain, self._key = Authority(self.folder).issue("localhost")
        return super().__enter__()

    def command(self) -> Sequence[str]:  # noqa: D102
        with_tls = "--listen", f"tls:tcp:{self.tls[1]}:interface=127.0.0.1"
        certificate = "--tls-cert", str(self._chain), "--tls-key", str(self._key)
        return [*super().command(), *with_tls, *certificate, "--auth", "accounts", "--max-clients", PLACES]

    def tracebacks(self) -> int:
        """Return how many are in the log."""
        return (self.folder / "log").read_bytes().count(b"Traceback")


class Found(NamedTuple):
    """p50 and p99 in milliseconds before an attack and while it lasts, and the server's memory then, in bytes."""

    before: tuple[float, float]
    during: tuple[float, float]
    memory: int
    tracebacks: int

    @property
    def kept(self) -> bool:
        """Whether it is as it should be."""
        return self.during[1] < MAY_BE[0] * self.before[1] + MAY_BE[1] and not self.tracebacks


class People:
    """Who talks, in one room."""

    def __init__(self, server: Attacked, crowd: Crowd) -> None:
        self._server = server
        self._crowd = crowd
        self._listening, senders = gather(server, crowd, PEOPLE, SIZE, range(0, PEOPLE, ONE_IN))
        self._talk = Talk(server, crowd, senders)

    def talk(self, seconds: float) -> tuple[float, float]:
        """Talk for so long, and return p50 and p99 of it; raises :class:`Broken` where something is lost."""
        forget_delays(self._listening)
        self._talk.go_on(RATE, seconds)
        self._crowd.until(lambda: self._crowd.arrived >= self._talk.said * PEOPLE)
        check(self._server, self._listening, self._talk.said)
        found = percentiles(self._listening)
        return found["p50"], found["p99"]


@contextmanager
def beside(attack: Attack, target: Target) -> Iterator[ForkProcess]:
    """Have the attack go on, in a process that is yielded; raises :class:`Broken` if it did not last."""
    attacker = get_context("fork").Process(target=_attack, args=(attack, target), daemon=True)
    attacker.start()
    try:
        yield attacker
        if not attacker.is_alive():
            raise Broken("the attack came to an end")
    finally:
        attacker.kill()
        attacker.join()


def _attack(attack: Attack, target: Target) -> None:
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    attack(target)


def measure(attack: Attack, seconds: float, db: str = "") -> Found:
    """Return what an attack did to the people of a new server."""
    with Attacked(db) as server, Crowd() as crowd:
        people = People(server, crowd)
        people.talk(1)
        before = people.talk(seconds)
        with beside(attack, Target(server.address, server.tls)):
            people.talk(BEGINNING)
            during = people.talk(seconds)
            return Found(before, during, server.memory(), server.tracebacks())


def on_mariadb() -> str:
    """Return the URL of a new database."""
    database = MariaDB.shared()
    return database.url(database.create()).render_as_string(hide_password=False)


def row(attack: Attack, seconds: float, mariadb: bool) -> str:
    """Measure, and return a line of the table."""
    try:
        found = measure(attack, seconds, on_mariadb() if mariadb else "")
    except Broken as broken:
        return f"| {attack.__doc__} | | | | | | {broken} |"
    figures = " | ".join(f"{figure:.1f}" for figure in (*found.before, *found.during))
    said = "kept" if found.kept else "missed" if not found.tracebacks else "traceback"
    return f"| {attack.__doc__} | {figures} | {found.memory >> 20} | {said} |"


def main() -> None:
    """Measure the attacks that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5, help="of talk before each attack, and again beside it [5]")
    parser.add_argument("--mariadb", action="store_true", help="on a MariaDB of its own [SQLite]")
    parser.add_argument("names", nargs="*", help=", ".join(attack.__name__ for attack in ATTACKS))
    asked = parser.parse_args()
    raise_limits()
    print(f"load {os.getloadavg()[0]:.1f}, {time.strftime('%H:%M')}")
    print("| attack | p50 before | p99 | p50 during | p99 | MiB | |\n| --- | --- | --- | --- | --- | --- | --- |")
    for attack in ATTACKS:
        if not asked.names or attack.__name__ in asked.names:
            print(row(attack, asked.seconds, asked.mariadb), flush=True)


if __name__ == "__main__":
    main()
