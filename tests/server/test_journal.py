"""The journal: order, faults that pass, entries that the database will not have, and a bound on what waits."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import TestCase

from server import journal
from server.connection import FRAMES
from server.log import SEGMENT
from server.turns import REST
from storage.interface import Batch, Beat, Entry, Open, Outcome, Send
from tests.server.fakes import House
from tests.storage.databases import plain
from wire import frames
from wire.frames import encode


def said(batch: list[Entry]) -> int:
    """How many messages are in a batch."""
    return sum(len(entry.texts) for entry in batch if isinstance(entry, Send))


class JournalTests(TestCase):
    def setUp(self) -> None:
        self.house = House()
        self.now = 1_764_000_000_000
        self.patch(self.house.server, "now", lambda: self.now)
        self.ann = self.house.peer("ann", client="c")

    def acks(self) -> list[int]:
        return [frame.seq for frame in self.ann.heard(frames.Ack)]

    def say(self, first: int, *texts: bytes) -> None:
        for seq, text in enumerate(texts, first):
            self.ann.says(frames.Send(seq), text)

    def batches(self) -> list[list[Entry]]:
        """Return a list that grows by the entries of each batch."""
        batches: list[list[Entry]] = []
        journal = self.house.server.journal
        commit = journal.commit

        def noted(batch: Batch) -> list[Outcome]:
            batches.append(list(batch.entries))
            return commit(batch)

        self.patch(journal, "commit", noted)
        return batches

    def test_what_gathers_in_one_turn_is_one_batch(self) -> None:
        batches = self.batches()
        self.say(1, *[b"x"] * 10)
        self.house.settle()
        self.assertEqual([said(batch) for batch in batches], [10])
        self.assertEqual(self.acks(), list(range(1, 11)))

    def test_what_is_said_at_a_stretch_is_one_entry(self) -> None:
        batches = self.batches()
        self.say(1, b"one", b"two", b"three")
        self.now += 1
        self.say(4, b"four")
        self.ann.says(frames.Send(5, "Lobby"), b"five")
        self.ann.says(frames.Send(6), b"\xff")
        self.say(7, b"seven", b"eight")
        self.house.settle()
        [batch] = batches
        stretches = [getattr(entry, "texts", None) for entry in batch]
        self.assertEqual(stretches, [["one", "two", "three"], ["four"], ["five"], None, ["seven", "eight"]])
        times = [message.sent_at - self.now for message in self.house.storage.messages[1]]
        self.assertEqual(times, [-1, -1, -1, 0, 0, 0, 0])
        answers = [frame.seq for frame, _ in self.ann.frames if isinstance(frame, frames.Ack | frames.Error)]
        self.assertEqual(answers, [1, 2, 3, 4, 5, 6, 7, 8])

    def test_a_stretch_is_of_one_room(self) -> None:
        self.ann.says(frames.Join("tea"))
        self.house.settle()
        for seq, room in enumerate(["lobby", "tea", "lobby", "tea", "tea"], 1):
            self.ann.says(frames.Send(seq, room), b"%d" % seq)
        self.house.settle()
        stored = [[message.text for message in messages] for messages in self.house.storage.messages.values()]
        self.assertEqual(stored, [["1", "3"], ["2", "4", "5"]])
        acks = [(frame.seq, frame.room, frame.id) for frame in self.ann.heard(frames.Ack)]
        self.assertEqual(
            acks, [(1, "lobby", 1), (2, "tea", 1), (3, "lobby", 2), (4, "tea", 2), (5, "tea", 3)]
        )  # as the rooms are called, in the order in which it was said

    def test_only_what_goes_on_is_added(self) -> None:
        journal = self.house.server.journal
        journal.put(Send(None, 4, 1, "ann", 9, ["four", "five"]), lambda _: None, "a line")
        tries = [(7, 1, 9, "a line"), (6, 2, 9, "a line"), (6, 1, 10, "a line"), (6, 1, 9, "another")]
        self.assertFalse(any(journal.add("no", *where) for where in tries))
        self.assertTrue(journal.add("six", 6, 1, 9, "a line"))
        journal.put(Beat(), lambda _: None, "a line")
        self.assertFalse(journal.add("no", 7, 1, 9, "a line"))

    def test_a_stretch_ends(self) -> None:
        batches = self.batches()
        self.say(1, *[b"x" * 1000] * 30)
        self.house.settle()
        lengths = [len(entry.texts) for batch in batches for entry in batch if isinstance(entry, Send)]
        self.assertEqual(sum(lengths), 30)
        self.assertLess(max(lengths), 10)  # who says much does not stand in front of others with all of it

    def test_what_is_being_stored_grows_no_more(self) -> None:
        batches = self.batches()
        self.say(1, b"one")
        self.house.clock.advance(0)
        self.say(2, b"two")
        self.house.settle()
        self.assertEqual([said(batch) for batch in batches], [1, 1])
        self.assertEqual(self.acks(), [1, 2])

    def test_the_next_batch_begins_before_the_one_before_is_told_of(self) -> None:
        begun: list[int] = []
        put = self.house.server.journal.put
        for _ in range(2):
            put(Beat(), lambda _: begun.append(self.house.steps.waiting))
            self.house.clock.advance(0)
        self.house.steps.step()
        self.assertEqual(begun, [1])
        self.house.settle()
        self.assertEqual(begun, [1, 0])

    def test_who_was_held_goes_on_when_the_batch_has_begun(self) -> None:
        budget = self.house.server.journal.budget
        self.say(1, *[b"x" * 60_000] * 40)
        self.assertTrue(budget.full)
        begun: list[int] = []
        budget.hold(lambda: begun.append(self.house.steps.waiting))
        self.house.clock.advance(0)
        self.assertEqual(begun, [1])

    def test_a_batch_has_no_more_than_one_write_takes(self) -> None:
        batches = self.batches()
        self.say(1, *[b"x" * 100] * 2000)
        self.house.settle()
        self.assertEqual(self.acks(), list(range(1, 2001)))
        message = len(encode(frames.Message("lobby", 2000, "ann", 1_764_000_000_000), b"x" * 100))
        self.assertLessEqual(max(map(said, batches)) * message, SEGMENT)
        self.assertGreater(said(batches[0]) * message, SEGMENT * 0.8)

    def test_who_says_little_does_not_wait_for_who_says_much(self) -> None:
        bob = self.house.peer("bob", client="d")
        batches = self.batches()
        self.say(1, *[b"x" * 100] * 2000)
        self.house.clock.advance(0)
        bob.says(frames.Send(1), b"hello")
        self.house.settle()
        [at] = [number for number, batch in enumerate(batches) for entry in batch if getattr(entry, "by", "") == "bob"]
        self.assertEqual(at, 1)  # the one before was being stored already
        self.assertGreater(len(batches), 3)

    def test_while_somebody_says_little_batches_are_short(self) -> None:
        bob = self.house.peer("bob", client="d")
        batches = self.batches()

        def largest(first: int) -> int:
            """Of the batches in which much is stored that one says."""
            batches.clear()
            texts = enumerate([b"x" * 100] * 1500, first)
            self.ann.connection.dataReceived(b"".join(encode(frames.Send(seq), text) for seq, text in texts))
            for _ in range(1500 // FRAMES + 1):
                self.house.settle()
                self.house.clock.advance(REST)
            self.assertEqual(sum(map(said, batches)), 1500)
            return max(map(said, batches))

        self.house.clock.advance(2)
        before = largest(1)
        bob.says(frames.Send(1), b"hello")
        self.house.settle()
        self.assertLess(largest(1501), before / 4)
        self.house.clock.advance(2)
        self.assertEqual(largest(3001), before)

    def test_who_says_little_goes_before_logins_and_who_says_much(self) -> None:
        bob = self.house.peer("bob", client="d")
        batches = self.batches()
        self.house.server.journal.put(Beat(), lambda _: None)
        self.say(1, *[b"x" * 1000] * 5)
        bob.says(frames.Send(1), b"hello")
        self.house.settle()
        self.assertEqual(getattr(batches[0][0], "by", ""), "bob")

    def test_who_says_little_without_an_end_says_much(self) -> None:
        bob = self.house.peer("bob", client="d")
        batches = self.batches()

        def before_ann(seq: int) -> bool:
            """Whether what bob says is stored before what ann said before him."""
            batches.clear()
            self.say(seq, b"x" * 2000)
            bob.says(frames.Send(seq), b"x" * 50)
            self.house.settle()
            self.house.clock.advance(0.01)
            return [getattr(entry, "by", "") for batch in batches for entry in batch] == ["bob", "ann"]

        before = [before_ann(seq) for seq in range(1, 31)]
        self.assertEqual(before, sorted(before, reverse=True))
        self.assertGreater(before.count(True), 5)
        self.assertFalse(before[-1])
        bob.connection.dataReceived(encode(frames.Pong()) * 500)
        self.house.clock.advance(2)
        self.assertTrue(before_ann(31))

    def test_while_somebody_says_little_the_others_rest_as_long_as_they_were_stored(self) -> None:
        house, bob = self.house, self.house.peer("bob", client="d")
        beats: list[object] = []
        bob.says(frames.Send(1), b"hello")
        house.settle()
        journal = house.server.journal
        journal.put(Beat(), beats.append)
        house.clock.advance(0)
        house.clock.advance(0.25)  # while it is being stored
        house.settle()
        journal.put(Beat(), beats.append)
        house.clock.advance(0.125)
        house.settle()
        self.assertEqual(len(beats), 1)
        idle = journal.idle()
        bob.says(frames.Send(2), b"hello")
        house.settle()
        self.assertEqual([frame.seq for frame in bob.heard(frames.Ack)], [1, 2])
        self.assertEqual(len(beats), 1)
        self.assertNoResult(idle)
        house.clock.advance(0.125)
        house.settle()
        self.assertEqual(len(beats), 2)
        self.successResultOf(idle)

    def test_idle_waits_for_what_rests_of_uploads(self) -> None:
        house, bob = self.house, self.house.peer("bob", client="d")
        bob.says(frames.Send(1), b"hello")
        house.settle()
        self.ann.says(frames.Part(1, 0), b"x")
        house.settle()
        journal = house.server.journal
        journal.put(Beat(), lambda _: None)
        house.clock.advance(0)
        house.clock.advance(0.25)  # while it is being stored
        house.settle()
        self.ann.says(frames.Part(1, 1), b"y")
        house.settle()
        idle = journal.idle()
        self.assertNoResult(idle)
        house.clock.advance(0.25)
        house.settle()
        self.successResultOf(idle)

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
        outcomes: list[Any] = []
        room = self.house.storage.keys["lobby"]
        for entry in (Send(None, 0, room, "ann", 1, ["a"]), Open("New"), Send(None, 0, room, "ann", 1, ["b"])):
            self.house.server.journal.put(entry, outcomes.append)
        self.house.settle()
        self.assertEqual([getattr(outcome, "name", outcome) for outcome in plain(outcomes)], [1, "New", 2])
