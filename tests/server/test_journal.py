"""The journal: order, faults that pass, entries that the database will not have, and a bound on what waits."""

from __future__ import annotations

from twisted.trial.unittest import TestCase

from server import journal
from storage.interface import Batch, Open, Outcome, Send
from tests.server.fakes import House
from wire import frames


class JournalTests(TestCase):
    def setUp(self) -> None:
        self.house = House()
        self.ann = self.house.peer("ann", client="c")

    def acks(self) -> list[int]:
        return [frame.seq for frame in self.ann.heard(frames.Ack)]

    def say(self, first: int, *texts: bytes) -> None:
        for seq, text in enumerate(texts, first):
            self.ann.says(frames.Send(seq), text)

    def test_what_gathers_in_one_turn_is_one_batch(self) -> None:
        batches: list[int] = []
        journal = self.house.server.journal
        commit = journal.commit

        def counted(batch: Batch) -> list[Outcome]:
            batches.append(len(batch.entries))
            return commit(batch)

        self.patch(journal, "commit", counted)
        self.say(1, *[b"x"] * 10)
        self.house.settle()
        self.assertEqual(batches, [10])
        self.assertEqual(self.acks(), list(range(1, 11)))

    def test_a_database_that_is_away_is_told_and_waited_for(self) -> None:
        self.house.storage.faults.extend(["before", "lost", "before"])
        self.say(1, b"one", b"two")
        for _ in range(100):
            self.house.settle()
            self.house.clock.advance(0.1)
        self.assertEqual([notice.code for notice in self.ann.heard(frames.Notice)], ["storage_down", "storage_up"])
        self.assertEqual(self.acks(), [1, 2])
        self.assertEqual([message.text for message in self.house.storage.messages[1]], ["one", "two"])

    def test_a_fault_that_passes_at_once_is_nobodys_business(self) -> None:
        self.house.storage.faults.append("lost")
        self.say(1, b"one")
        self.house.settle()
        self.house.clock.advance(1)
        self.house.settle()
        self.assertEqual(self.ann.heard(frames.Notice), [])
        self.assertEqual(self.acks(), [1])

    def test_questions_are_refused_while_the_database_is_away(self) -> None:
        self.house.storage.faults.extend(["before"] * 3)
        self.say(1, b"one")
        self.house.settle()
        self.house.clock.advance(0.1)
        self.house.settle()
        self.ann.says(frames.Who(7))
        self.assertEqual([(e.code, e.ref) for e in self.ann.heard(frames.Error)], [("storage_down", 7)])

    def test_the_culprit_is_refused_and_the_rest_is_stored(self) -> None:
        self.house.storage.poison = "bad"
        self.say(1, b"one", b"two", b"bad", b"four")
        self.house.settle()
        self.assertEqual(self.acks(), [1, 2, 4])
        self.assertEqual([(e.code, e.seq) for e in self.ann.heard(frames.Error)], [("failed", 3)])
        answers = [frame.seq for frame, _ in self.ann.frames if isinstance(frame, frames.Ack | frames.Error)]
        self.assertEqual(answers, [1, 2, 3, 4])
        self.assertEqual(self.house.storage.senders["ann", next(iter(self.house.storage.senders))[1]][1], 4)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_who_feeds_a_full_journal_is_read_no_more(self) -> None:
        body = b"x" * 60_000
        seq = 0
        while self.ann.transport.producerState == "producing":
            seq += 1
            self.say(seq, body)
            self.assertLess(seq, 200)
        self.assertLessEqual(seq * len(body), journal.FULL + 2 * len(body))
        self.house.settle()
        self.assertEqual(self.ann.transport.producerState, "producing")
        self.assertEqual(self.acks(), list(range(1, seq + 1)))

    def test_idle_fires_when_all_is_answered(self) -> None:
        done = []
        self.say(1, b"one")
        self.house.server.journal.idle().addCallback(lambda _: done.append(self.acks()))
        self.house.settle()
        self.assertEqual(done, [[1]])

    def test_entries_keep_their_order(self) -> None:
        outcomes: list[object] = []
        room = self.house.storage.keys["lobby"]
        for entry in (Send(None, 0, room, "ann", 1, "a"), Open("New"), Send(None, 0, room, "ann", 1, "b")):
            self.house.server.journal.put(entry, outcomes.append)
        self.house.settle()
        self.assertEqual([getattr(outcome, "name", outcome) for outcome in outcomes], [1, "New", 2])
