"""Each measurement, small: every server that is installed tells everybody everything, or the run is broken."""

from __future__ import annotations

import tempfile
import unittest
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from bench import attackers, attacks, ceiling, commits, fanout, history, idle, ingest, latency, logins, rooms
from bench.load import Broken, raise_limits
from bench.peers import ALL, ChatOnMariaDB, ConsoleChat, Missing, Naive, Served


def installed(*servers: type[Served]) -> Iterator[Served]:
    """Yield each of the servers that are there, started."""
    raise_limits()
    for server in servers:
        try:
            server.find()
        except Missing:
            continue
        with server() as running:
            yield running


class Works(unittest.TestCase):
    def test_all_servers_deliver_all_of_a_fan_out_and_of_a_talk(self) -> None:
        for server in installed(*ALL):
            with self.subTest(server=server.name):
                for figures in islice(fanout.measure(server, 20, 100, 400), 2):
                    self.assertEqual(figures["deliveries"], 20 * 400)
                    self.assertGreater(figures["cpu"], 0)
                for [(given, found)] in islice(latency.measure(server, 20, [100], 0.3), 2):
                    self.assertEqual(given, {"receivers": 20, "rate": 100})
                    self.assertTrue(0 < found["p50"] <= found["p99"] <= found["p99.9"])

    def test_those_who_are_stuck_do_not_count(self) -> None:
        for server in installed(ConsoleChat):
            self.assertEqual(next(fanout.measure(server, 10, 100, 100, stuck=5))["deliveries"], 10 * 100)

    def test_people_talk_beside_an_attack(self) -> None:
        raise_limits()
        found = attacks.measure(attackers.tiny_frames, 0.5)
        self.assertTrue(0 < found.before[0] <= found.before[1])
        self.assertTrue(0 < found.during[0] <= found.during[1])
        self.assertFalse(found.tracebacks)

    def test_an_attack_that_came_to_an_end_is_none(self) -> None:
        nowhere = attackers.Target(("", 0), ("", 0))
        with self.assertRaises(Broken), attacks.beside(lambda _: None, nowhere) as attacker:
            attacker.join()

    def test_rooms_are_apart(self) -> None:
        for server in installed(*(server for server in ALL if server is not Naive)):
            with self.subTest(server=server.name):
                for [(_, figures)] in islice(rooms.measure(server, 5, 100), 2):
                    self.assertGreater(figures["rate"], 0)

    def test_what_is_sent_is_acknowledged(self) -> None:
        for server in installed(ConsoleChat, ChatOnMariaDB):
            [(_, figures)] = next(ingest.measure(server, 1000))
            self.assertGreater(figures["rate"], 0)

    def test_who_comes_is_given_a_history(self) -> None:
        for server in installed(ConsoleChat):
            [(_, figures)] = next(logins.measure(server, 50))
            self.assertGreater(figures["seconds"], 0)

    def test_a_room_that_was_filled_is_read(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            history.OfMillions.filled = history.fill(Path(folder, "chat.db"), 2 * history.WANTED)
            for server in installed(history.OfMillions):
                [(_, figures)] = next(history.measure(server, 2 * history.WANTED, 3))
                self.assertTrue(0 < figures["p50"] <= figures["p99"] <= 1e3 * figures["seconds"])

    def test_idle_clients_take_memory(self) -> None:
        for server in installed(ConsoleChat):
            [(_, figures)] = next(idle.measure(server, 100, 0.1))
            self.assertGreater(figures["bytes"], 0)

    def test_a_commit_and_the_load_alone_take_their_time(self) -> None:
        for server in installed(ConsoleChat):
            assert isinstance(server, ConsoleChat)
            self.assertGreater(commits.measure(server.url, 10)["p50"], 0)
        self.assertGreater(ceiling.measure(10, 100, 200_000)["rate"], 0)
