"""Measurements go on without what is missing, and past what breaks; what they find is kept."""

from __future__ import annotations

import contextlib
import io
import json
import resource
import sys
import tempfile
import unittest
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from bench import runs
from bench.load import Broken, Crowd, Receiver, connect
from bench.peers import Naive, Redis, Served


class Absent(Redis):
    name: ClassVar = "absent"
    program: ClassVar = "there-is-no-such-program"


class Other(Naive):
    name: ClassVar = "other"


class Ends(Naive):
    name: ClassVar = "ends"

    def command(self) -> Sequence[str]:
        return [sys.executable, "-c", "print('cannot listen')"]


class Dies(Naive):
    name: ClassVar = "dies"


def measure(server: Served) -> runs.Measured:
    with Crowd() as crowd:
        crowd.add(Receiver(connect(server.address)))
        if isinstance(server, Dies):
            assert server._process is not None
            server._process.kill()
            crowd.until(lambda: False)
    yield [({"size": 1}, {"rate": 2.0})]


def served(server: Served) -> runs.Measured:
    """Tell by which process each round is served, of two that this one has."""
    for _ in range(2):
        yield [({}, {"pid": server.pid})]


def breaks_in_its_second(server: Served) -> runs.Measured:
    """Break in its second round."""
    yield [({}, {"pid": server.pid})]
    raise Broken("it was too much")


class Runs(unittest.TestCase):
    def kept(
        self,
        *servers: type[Served],
        rounds: int = 1,
        measure: Callable[[Served], runs.Measured] = measure,
    ) -> list[dict[str, Any]]:
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()) as told:
            file = Path(folder, "deeper", "results.jsonl")
            given = runs.flags("", servers).parse_args(["--rounds", str(rounds), "--results", str(file)])
            runs.interleaved("work", given, servers, measure)
            lines = file.read_text().splitlines()
        self.assertEqual(told.getvalue().count("work "), len(lines))
        return [json.loads(line) for line in lines]

    def test_servers_take_turns(self) -> None:
        found = [(line["server"], line["round"]) for line in self.kept(Naive, Naive, rounds=2)]
        self.assertEqual(found, [("naive", 0), ("naive", 0), ("naive", 1), ("naive", 1)])

    def test_a_set_up_serves_as_many_rounds_as_it_lasts_and_all_are_gone_at_the_end(self) -> None:
        naive, ours = Naive.name, Other.name
        found = self.kept(Naive, Other, rounds=3, measure=served)
        self.assertEqual(
            [(line["server"], line["round"]) for line in found],
            [*[(naive, 0), (ours, 0)], (naive, 1), (ours, 1), (naive, 2), (ours, 2)],
        )
        pids = [int(line["figures"]["pid"]) for line in found]
        self.assertEqual((pids[0], pids[1]), (pids[2], pids[3]))
        self.assertEqual(len(set(pids)), 4)
        for pid in pids:
            self.assertFalse(Path(f"/proc/{pid}").exists())

    def test_who_are_too_many_open_files_leave_after_a_round(self) -> None:
        given = runs.flags("", [Naive, Other]).parse_args([])
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        left: list[int] = []

        def measured() -> runs.Measured:
            try:
                for number in range(2):
                    yield [({}, {"round": number})]
            finally:
                left.append(len(left))

        [[(_, figures)]] = runs.staying(measured(), files // 2, given)
        self.assertEqual((figures, left), ({"round": 0}, [0]))
        self.assertEqual(len(list(runs.staying(measured(), files // 3, given))), 2)

    def test_after_one_that_broke_there_is_a_new_server(self) -> None:
        first, broken, last = self.kept(Naive, rounds=3, measure=breaks_in_its_second)
        self.assertIn("too much", broken["broken"])
        self.assertNotEqual(first["figures"], last["figures"])

    def test_what_is_missing_is_named_with_the_command_that_installs_it(self) -> None:
        missing, naive = self.kept(Absent, Naive)
        self.assertEqual(missing["missing"], "absent: apt-get install --no-install-recommends redis-server")
        self.assertEqual((naive["given"], naive["figures"]), ({"size": 1}, {"rate": 2.0}))

    def test_a_server_that_does_not_start_or_stops_is_told_and_the_others_go_on(self) -> None:
        ends, dies, naive = self.kept(Ends, Dies, Naive)
        self.assertIn("cannot listen", ends["broken"])
        self.assertTrue(dies["broken"])
        self.assertEqual(naive["figures"], {"rate": 2.0})

    def test_only_those_are_measured_that_are_asked_for(self) -> None:
        given = runs.flags("", [Naive, Ends]).parse_args(["--rounds", "1", "--servers", "naive"])
        with contextlib.redirect_stdout(io.StringIO()) as told:
            runs.interleaved("work", given, [Naive, Ends], measure)
        self.assertEqual(len(told.getvalue().splitlines()), 1)

    def test_a_folder_goes_with_its_server(self) -> None:
        with Naive() as server:
            folder = server.folder
            self.assertTrue(folder.exists())
        self.assertFalse(folder.exists())
        with self.assertRaises(Broken), Ends() as ended:
            folder = ended.folder
        self.assertFalse(folder.exists())
