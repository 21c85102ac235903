"""What attacks cost the others: 200 people talk, 50 messages a second, and each attack goes on beside them.

Printed are p50 and p99 of the delay from a message's sending to its arrival at everybody, before the attack and while
it lasts, in milliseconds, and the server's memory. The goal is a p99 below twice what it was, and 5 ms. Attackers are a
process of their own; on two cores they take time of the others' too, which is in the figures.
"""

from __future__ import annotations

import argparse
import random
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import get_context
from typing import Final

from tests.plain_client import Crowd, Frame, PlainClient, encode
from tests.processes import ServerProcess

PEOPLE: Final = 200
RATE: Final = 50  # messages a second
MAY_BE: Final = 2, 5.0  # times what it was, and milliseconds more

Attack = Callable[[tuple[str, int]], None]


def _open(address: tuple[str, int]) -> socket.socket:
    return socket.create_connection(address, timeout=5)


def _logged_in(address: tuple[str, int], user: str, room: str = "attacked") -> socket.socket:
    attacker = _open(address)
    attacker.sendall(encode("login", user=user, rooms={room: None}, history=0))
    return attacker


def _drain(attacker: socket.socket) -> None:
    """Read what is there, and wait for nothing."""
    attacker.setblocking(False)
    with suppress(BlockingIOError):
        while attacker.recv(1 << 20):
            pass
    attacker.setblocking(True)


def say_nothing(address: tuple[str, int]) -> None:
    """1. A thousand connections that say nothing."""
    held = [_open(address) for _ in range(1_000)]
    time.sleep(3_600)
    held.clear()


def one_byte_short(address: tuple[str, int]) -> None:
    """4. A thousand frames of which the last byte is missing."""
    held = [_open(address) for _ in range(1_000)]
    for attacker in held:
        attacker.sendall(b"65536:" + b"x" * 65_535)
    time.sleep(3_600)


def tiny_frames(address: tuple[str, int]) -> None:
    """5. A flood of tiny frames."""
    attacker = _logged_in(address, "tiny")
    while True:
        attacker.sendall(encode("pong") * 10_000)


def before_login(address: tuple[str, int]) -> None:
    """6. A flood before the login, again and again."""
    while True:
        with suppress(OSError), _open(address) as attacker:
            for _ in range(100):
                attacker.sendall(b"1:x," * 10_000)


def logins(address: tuple[str, int]) -> None:
    """7. Logins as fast as they go."""
    number = 0
    while True:
        number += 1
        with suppress(OSError), _logged_in(address, f"login{number}") as attacker:
            attacker.recv(10)


def stuck_readers(address: tuple[str, int]) -> None:
    """8. A thousand readers of the others' room that do not read."""
    held = [_logged_in(address, f"stuck{number}", "lobby") for number in range(1_000)]
    time.sleep(3_600)
    held.clear()


def flood(address: tuple[str, int]) -> None:
    """9. A sender as fast as it can, in a room of its own."""
    attacker, seq = _logged_in(address, "flood"), 0
    attacker.setblocking(True)
    while True:
        said = b"".join(encode("send", b"x" * 100, seq=seq + at, room="attacked") for at in range(1, 101))
        seq += 100
        attacker.sendall(said)
        _drain(attacker)


def hoards(address: tuple[str, int]) -> None:
    """20. Joins, questions and uploads without an end."""
    attacker, number = _logged_in(address, "hoards"), 0
    while True:
        number += 1
        attacker.sendall(
            encode("join", room=f"hoard{number}")
            + encode("rooms", ref=number)
            + encode("part", b"x", upload=number, offset=0)
        )
        _drain(attacker)


def bombs(address: tuple[str, int]) -> None:
    """21. Headers that are deep, long and wrong."""
    attacker = _logged_in(address, "bombs")
    bomb = b'{"type":"ping","ref":-1,"x":[' + b",".join([b'"\\u00e4"'] * 6_000) + b"]}"
    while True:
        attacker.sendall(b"%d:%b," % (len(bomb), bomb))
        attacker.recv(10_000)


def resets(address: tuple[str, int]) -> None:
    """23. Connections that are reset in the middle of everything."""
    chance = random.Random(1)
    said = encode("login", user="reset", rooms={"lobby": 0}) + encode("history", room="lobby", limit=500, ref=1)
    while True:
        with suppress(OSError), _open(address) as attacker:
            attacker.sendall(said[: chance.randrange(len(said) + 1)])
            attacker.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


ATTACKS: Final[list[Attack]] = [
    say_nothing, one_byte_short, tiny_frames, before_login, logins, stuck_readers, flood, hoards, bombs, resets,
]  # fmt: skip


class Talk:
    """People in one room, one of whom talks; ``delays`` are of every message at everybody, in milliseconds."""

    def __init__(self, server: ServerProcess) -> None:
        self.delays: list[float] = []
        self._people = [PlainClient.connect(server.address, self._heard) for _ in range(PEOPLE)]
        for number, person in enumerate(self._people):
            person.ask_login(f"person{number}", history=0)
        self._crowd = Crowd(self._people)
        self._crowd.run(lambda: all(person.rooms for person in self._people), 60)

    def _heard(self, frame: Frame) -> None:
        if frame.type == "message":
            self.delays.append((time.monotonic_ns() - int(frame.body)) / 1e6)

    def go_on(self, seconds: float) -> tuple[float, float]:
        """Talk, and return p50 and p99."""
        self.delays.clear()
        began, said = time.monotonic(), 0
        while said < seconds * RATE:
            said += 1
            due = began + said / RATE
            self._crowd.run(lambda due=due: time.monotonic() >= due)  # type: ignore[misc]
            self._people[0].send(str(time.monotonic_ns()))
        self._crowd.run(lambda: len(self.delays) >= said * PEOPLE, 60)
        self.delays.sort()
        return self.delays[len(self.delays) // 2], self.delays[len(self.delays) * 99 // 100]


def measure(attack: Attack, seconds: float) -> tuple[tuple[float, float], tuple[float, float], int]:
    """Return p50 and p99 before an attack and while it lasts, and the server's memory in MiB at the end of it."""
    with ServerProcess() as server:
        talk = Talk(server)
        talk.go_on(1)
        before = talk.go_on(seconds)
        attacker = get_context("fork").Process(target=attack, args=(server.address,), daemon=True)
        attacker.start()
        try:
            talk.go_on(1)
            during = talk.go_on(seconds)
            return before, during, server.memory() >> 20
        finally:
            attacker.kill()


def main() -> None:
    """Measure the attacks that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5, help="of talk before each attack, and again beside it")
    parser.add_argument("names", nargs="*", help=", ".join(attack.__name__ for attack in ATTACKS))
    asked = parser.parse_args()
    print("| attack | p50 before | p99 | p50 during | p99 | MiB | |\n| --- | --- | --- | --- | --- | --- | --- |")
    for attack in ATTACKS:
        if not asked.names or attack.__name__ in asked.names:
            before, during, memory = measure(attack, asked.seconds)
            kept = during[1] < MAY_BE[0] * before[1] + MAY_BE[1]
            figures = " | ".join(f"{figure:.1f}" for figure in (*before, *during))
            print(f"| {attack.__doc__} | {figures} | {memory} | {'kept' if kept else 'missed'} |", flush=True)


if __name__ == "__main__":
    main()
