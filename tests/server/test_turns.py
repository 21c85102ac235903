"""Who wants to go on in the next turn."""

from __future__ import annotations

from itertools import groupby

from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from server.connection import FRAMES
from server.turns import REST, NextTurn, Turns
from tests.server.fakes import House
from wire import frames
from wire.frames import encode


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


class TurnsTests(TestCase):
    def test_a_fault_of_one_does_not_stop_the_others(self) -> None:
        clock, went = Clock(), []

        def fault() -> None:
            raise LookupError("a fault")

        turns = Turns(clock)
        for go in fault, lambda: went.append("b"), lambda: went.append("c"):
            turns.wait(go)
        clock.pump([0, 0])
        self.assertEqual(went, ["b", "c"])
        self.assertEqual(len(self.flushLoggedErrors(LookupError)), 1)


class ReadingTests(TestCase):
    """What one read brings may be thousands of frames."""

    def setUp(self) -> None:
        self.house = House()
        self.ann = self.house.peer("ann")
        self.much = encode(frames.Ping()) * (3 * FRAMES)

    def pongs(self) -> int:
        return len(self.ann.heard(frames.Pong))

    def test_so_many_are_taken_and_then_others_have_their_turn(self) -> None:
        bob = self.house.peer("bob")
        answered: list[str] = []
        for peer in (self.ann, bob):
            name = peer.connection.user
            self.patch(peer.connection, "send", lambda _, name=name: answered.append(name))
            peer.connection.dataReceived(self.much)
        self.assertEqual(self.ann.transport.producerState, "paused")
        for rest in 0.9 * REST, 0.1 * REST, REST, REST, REST, REST:
            self.house.clock.callLater(0, answered.append, "others")
            self.house.clock.advance(rest)
        turns = [(name, len(list(group))) for name, group in groupby(answered)]
        a, b, others = ("ann", FRAMES), ("bob", FRAMES), ("others", 1)
        self.assertEqual(turns, [a, b, ("others", 2), a, others, b, others, a, others, b, others])
        self.assertEqual(self.ann.transport.producerState, "producing")

    def test_what_a_lost_client_had_said_is_taken(self) -> None:
        said = b"".join(encode(frames.Send(seq), b"x") for seq in range(1, 2 * FRAMES))
        self.ann.connection.dataReceived(said)
        self.ann.ends()
        self.house.settle()
        self.assertEqual(len(self.house.storage.messages[1]), 2 * FRAMES - 1)

    def test_behind_a_fault_nothing_is_looked_at(self) -> None:
        seen: list[bytes] = []
        take = self.ann.connection.stringReceived

        def looked_at(payload: bytes) -> None:
            seen.append(payload)
            take(payload)

        self.patch(self.ann.connection, "stringReceived", looked_at)
        self.ann.connection.dataReceived(b"1:x," * 1_000)
        self.assertEqual(seen, [b"x"])
