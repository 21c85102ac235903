"""What is made of results: medians within rounds, goals, and what has fallen."""

from __future__ import annotations

import unittest
from typing import Any

from bench import check, goals, plot, report
from bench.results import Results, Spread


def line(server: str, number: int, rate: float, work: str = "fanout", **more: Any) -> dict[str, Any]:
    given = {"receivers": 1000, "size": 100}
    return {
        "work": work,
        "server": server,
        "round": number,
        "given": given,
        "figures": {"rate": rate, "memory": 1},
        **more,
    }


class Together(unittest.TestCase):
    def test_a_ratio_is_taken_within_each_round_to_the_best_of_it(self) -> None:
        lines = [line("chat", n, rate) for n, rate in enumerate((10, 40, 90))]
        lines += [line("redis", n, rate) for n, rate in enumerate((5, 10, 10))]
        lines += [line("nats", n, rate) for n, rate in enumerate((1, 20, 1))]
        found = Results(lines).ratio("fanout", "chat", ["redis", "nats", "gone"], "rate", receivers=1000, size=100)
        self.assertEqual(found, Spread(2, 2, 9))

    def test_a_round_that_another_has_not_does_not_count(self) -> None:
        lines = [line("chat", 0, 10), line("chat", 1, 10), line("redis", 1, 5)]
        found = Results(lines).ratio("fanout", "chat", ["redis"], "rate", receivers=1000, size=100)
        self.assertEqual(found, Spread(2, 2, 2))

    def test_what_is_missing_and_what_broke_is_told(self) -> None:
        results = Results(
            [
                {"work": "fanout", "server": "nats", "missing": "nats: apt-get install nats-server"},
                {"work": "fanout", "server": "redis", "round": 0, "broken": "Broken: nothing came"},
            ]
        )
        self.assertEqual(results.missing, ["nats: apt-get install nats-server"])
        self.assertEqual(results.broken, ["fanout, redis: Broken: nothing came"])
        self.assertEqual(results.cases("fanout"), [])
        self.assertEqual(results.load, 0.0)

    def test_a_machine_that_was_busy_is_told(self) -> None:
        results = Results([{"work": "machine", "load": 6.5}, line("chat", 0, 1), line("naive", 0, 1)])
        self.assertEqual(results.load, 6.5)
        page = "\n".join(report.page(results))
        self.assertIn("load 6.5 before the start", page)
        self.assertIn("`python -m bench.fanout --receivers 1000 --size 100`", page)
        self.assertIn("| naive | 1 |", page)


class Goals(unittest.TestCase):
    def first(self, ours: float, theirs: float) -> goals.Goal:
        return next(goals.goals(Results([line("chat", 0, ours), line("naive", 0, theirs)])))

    def test_one_is_reached_or_missed(self) -> None:
        self.assertTrue(self.first(4.0, 1.0).reached)
        self.assertIs(self.first(3.9, 1.0).reached, False)

    def test_what_was_not_measured_is_neither(self) -> None:
        self.assertEqual({goal.reached for goal in goals.goals(Results([]))}, {None})


class Checks(unittest.TestCase):
    def test_only_what_fell_by_more_than_a_quarter_has_fallen(self) -> None:
        found = {"a": Spread(7.4, 7, 8), "b": Spread(7.6, 7, 8), "c": Spread(20, 7, 30)}
        self.assertEqual(check.compare(found, {"a": 10.0, "b": 10.0, "c": 10.0}), ["a"])

    def test_what_could_not_be_measured_is_no_success(self) -> None:
        self.assertEqual(check.compare({}, {"a": 10.0}), ["a"])

    def test_less_is_better(self) -> None:
        cpu = check.RATIOS[0]
        lines = [
            {**line(server, 0, 0, cpu.work), "given": cpu.given, "figures": {cpu.figure: value}}
            for server, value in (("chat", 1.0), ("naive", 3.0))
        ]
        self.assertEqual(check.better(Results(lines), cpu), Spread(3, 3, 3))


class Pictures(unittest.TestCase):
    def test_a_bar_for_each_and_names_are_escaped(self) -> None:
        svg = plot.bars("a < b", {"chat": Spread(2, 1, 3), "c < d": Spread(1, 1, 1)}, "{:.0f}")
        self.assertEqual(svg.count("<rect"), 2)
        self.assertEqual((svg.count("a &lt; b"), svg.count("c &lt; d")), (2, 1))
        self.assertNotIn(" < ", svg)
