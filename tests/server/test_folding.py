"""Long texts are folded a little at a time, while others are heard."""

from __future__ import annotations

from itertools import count, pairwise
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from server.folding import AT_ONCE, LONG, WORK, Folding
from server.turns import REST
from storage.interface import Batch, Outcome, Send
from tests.server.fakes import House, Peer
from wire import frames
from wire.names import fold

PILE = "\u0301\u0316" * 15_000
CHINESE = "\u4e2d\u6587" * LONG


class Working(Clock):
    """A clock that goes on by a fifth of what may be done at a stretch whenever somebody looks at it."""

    def seconds(self) -> float:
        self.rightNow += WORK / 5
        return self.rightNow


class FoldingTests(TestCase):
    def setUp(self) -> None:
        self.clock = Working()
        self.folding = Folding(self.clock)
        self.done: list[str] = []

    def fold(self, name: str, text: str) -> Deferred[str]:
        return Deferred.fromCoroutine(self._fold(name, text))

    async def _fold(self, name: str, text: str) -> str:
        folded = await self.folding.fold(text)
        self.done.append(name)
        return folded

    def test_there_is_a_rest_after_little_work(self) -> None:
        folding = self.fold("a pile", PILE)
        rests = 0
        while not self.done:
            [call] = self.clock.getDelayedCalls()
            self.assertGreater(call.getTime() - self.clock.rightNow, REST / 2)
            self.clock.advance(REST)
            rests += 1
        self.assertGreater(rests, 20)
        self.assertEqual(self.successResultOf(folding), fold(PILE))

    def test_a_short_one_passes_a_long_one(self) -> None:
        self.fold("long", PILE)
        self.fold("short", CHINESE)
        while len(self.done) < 2:
            self.clock.advance(REST)
        self.assertEqual(self.done, ["short", "long"])

    def test_so_many_at_once_and_the_others_in_their_order(self) -> None:
        for number in range(AT_ONCE + 2):
            self.fold(str(number), PILE)
        short = self.fold("short", CHINESE)
        while not self.done:
            self.clock.advance(REST)
        self.assertNoResult(short)
        while len(self.done) < AT_ONCE + 3:
            self.clock.advance(REST)
        self.assertLess(set(self.done[:3]), set(map(str, range(AT_ONCE))))  # three places before it had its own


class SayingTests(TestCase):
    def setUp(self) -> None:
        self.house = House()
        self.patch(self.house.server, "now", lambda: 1_764_000_000_000)
        self.ann = self.house.peer("ann", client="c")
        self.numbers = count(1)
        self.said: list[Send] = []
        journal = self.house.server.journal
        commit = journal.commit

        def noted(batch: Batch) -> list[Outcome]:
            self.said += (entry for entry in batch.entries if isinstance(entry, Send))
            return commit(batch)

        self.patch(journal, "commit", noted)

    def say(self, peer: Peer, *texts: str) -> None:
        for text in texts:
            peer.says(frames.Send(next(self.numbers)), text.encode())

    def go_on(self) -> None:
        for _ in range(10):
            self.house.clock.advance(REST)
            self.house.settle()

    def stored(self) -> list[str]:
        return [message.text for message in self.house.storage.messages[1]]

    def test_all_is_stored_in_its_order(self) -> None:
        said = "first", PILE, "second", "third", CHINESE, "\u00c9" * LONG, "last"
        self.say(self.ann, *said)
        self.ann.says(frames.Quit())
        self.go_on()
        self.assertEqual(self.stored(), list(said))
        acks = [(frame.seq, frame.id) for frame in self.ann.heard(frames.Ack)]
        self.assertEqual(acks, [(number, number) for number in range(1, 8)])
        self.assertEqual([frame.reason for frame in self.ann.heard(frames.Bye)], ["quit"])

    def test_only_what_may_take_long_is_folded_before(self) -> None:
        self.say(self.ann, "\u00c9" * LONG, "x" * 2 * LONG, PILE)
        self.go_on()
        folded = [(send.texts, send.folded) for send in self.said]
        self.assertEqual(folded, [(["\u00c9" * LONG, "x" * 2 * LONG], None), ([PILE], fold(PILE))])

    def test_what_is_folded_goes_on_with_nothing_and_nothing_with_it(self) -> None:
        self.say(self.ann, "first")
        self.house.clock.advance(0)  # a batch that is being stored
        self.say(self.ann, "before", CHINESE, "behind", "it")
        for _ in range(5):
            self.house.clock.advance(REST)
        self.house.settle()
        folded = [(send.texts, send.folded) for send in self.said]
        self.assertEqual(folded[1:], [(["before"], None), ([CHINESE], CHINESE), (["behind", "it"], None)])

    def test_of_who_is_sent_away_meanwhile_nothing_is_stored(self) -> None:
        self.say(self.ann, PILE)
        self.ann.connection.throw_out("kicked")
        self.go_on()
        self.assertEqual(self.house.storage.messages.get(1, []), [])

    def test_nobody_else_waits_for_it(self) -> None:
        self.say(self.ann, PILE)
        bob = self.house.peer("bob")
        bob.says(frames.Send(1), b"hello")
        self.house.settle()
        self.assertEqual(self.stored(), ["hello"])
        self.go_on()
        self.assertEqual(self.stored(), ["hello", PILE])

    def test_what_a_lost_client_had_said_is_stored(self) -> None:
        self.say(self.ann, PILE, "last")
        self.ann.ends()
        self.go_on()
        self.assertEqual(self.stored(), [PILE, "last"])

    def test_what_it_takes_of_a_batch_is_what_was_folded(self) -> None:
        journal = self.house.server.journal
        taken: list[Any] = [journal.budget.taken]
        for text in ("x" * 60_000, PILE, "\ufdfa" * 20_000):
            self.house.server.journal.put(Send(None, 0, 1, "ann", 1, [text], folded=fold(text)), lambda _: None)
            taken.append(journal.budget.taken)
        sizes = [after - before for before, after in pairwise(taken)]
        self.assertGreater(sizes[2], 18 * 20_000)
        self.house.settle()
        self.assertEqual(journal.budget.taken, taken[0])
