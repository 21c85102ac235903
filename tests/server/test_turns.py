"""Who wants to go on in the next turn."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from server.turns import NextTurn


class NextTurnTests(TestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.next_turn = NextTurn(self.clock)
        self.went: list[str] = []

    def test_all_go_in_their_order_with_one_timer(self) -> None:
        for name in "abc":
            self.next_turn(lambda name=name: self.went.append(name))  # type: ignore[misc]
        self.assertEqual((self.went, len(self.clock.getDelayedCalls())), ([], 1))
        self.clock.advance(0)
        self.assertEqual(self.went, ["a", "b", "c"])

    def test_who_wants_more_waits_for_the_others(self) -> None:
        def again() -> None:
            self.went.append("again")
            self.next_turn(lambda: self.went.append("and again"))

        self.next_turn(again)
        self.next_turn(lambda: self.went.append("another"))
        self.clock.advance(0)
        self.assertEqual(self.went, ["again", "another", "and again"])

    def test_a_fault_of_one_does_not_stop_the_others(self) -> None:
        def fault() -> None:
            raise LookupError("a fault")

        self.next_turn(fault)
        self.next_turn(lambda: self.went.append("b"))
        self.clock.advance(0)
        self.assertEqual(self.went, ["b"])
        self.assertEqual(len(self.flushLoggedErrors(LookupError)), 1)
