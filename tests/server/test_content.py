"""Bulk beside talk: budgets, turns, the shelf, what waits of uploads, limits and the removal of what is forgotten."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from server.budget import PLACE, READ, Budget
from server.cleaning import EVERY, LEFT_ALONE, Cleaning
from server.journal import Answer, Failed
from server.limits import MEASURE_EVERY, Allowed, Limits
from server.refusals import Refused
from server.shelf import Shelf
from server.turns import AT_ONCE, Turns
from server.uploads import QUIET, ROW, WAITING, Upload, Uploads
from storage.interface import Outcome, Piece, StorageDown, UploadKey
from tests.server.fakes import House, Peer
from wire import frames
from wire.frames import MAX_BODY

FILE = bytes(range(256)) * 1024


class TurnClock(Clock):
    """Time in turns of a reactor: what is called in one turn for at once comes in the next."""

    def turn(self) -> None:
        due = [call for call in self.calls if call.getTime() <= self.rightNow]
        self.calls = [call for call in self.calls if call not in due]
        for call in due:
            call.called = 1
            call.func(*call.args, **call.kw)


class BudgetTests(TestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.budget = Budget(4 * READ, self.clock)
        self.let_in: list[int] = []

    def hold(self, *numbers: int) -> None:
        for number in numbers:
            self.budget.hold(lambda number=number: self.let_in.append(number))  # type: ignore[misc]

    def test_who_waits_longest_is_first_and_only_so_many_as_surely_fit(self) -> None:
        self.budget.take(4 * READ)
        self.assertTrue(self.budget.full)
        self.hold(1, 2, 3)
        self.budget.give_back(2 * READ)
        self.assertEqual(self.let_in, [1, 2])

    def test_who_brings_nothing_keeps_out_nobody(self) -> None:
        self.budget.take(4 * READ)
        self.hold(*range(20))
        self.budget.give_back(4 * READ)
        self.assertEqual(self.let_in, [0, 1, 2, 3])
        self.clock.advance(0)
        self.assertEqual(self.let_in, list(range(20)))

    def test_who_fills_it_keeps_the_others_out(self) -> None:
        self.budget.take(4 * READ)
        self.budget.hold(lambda: self.budget.take(4 * READ))
        self.hold(1)
        self.budget.give_back(READ)
        self.clock.advance(0)
        self.assertEqual(self.let_in, [])


class TurnsTests(TestCase):
    def test_a_few_in_each_turn_of_the_reactor_in_their_order(self) -> None:
        clock = TurnClock()
        turns = Turns(clock)
        gone: list[str] = []

        def go(who: str, times: int) -> None:
            gone.append(who)
            if times > 1:
                turns.wait(lambda: go(who, times - 1))

        for who in "abc":
            turns.wait(lambda who=who: go(who, 2))  # type: ignore[misc]
        self.assertEqual(gone, [])
        for turn in range(1, 4):
            clock.turn()
            self.assertEqual("".join(gone), "abcabc"[: turn * AT_ONCE])
        self.assertEqual(clock.getDelayedCalls(), [])


class ShelfTests(TestCase):
    def setUp(self) -> None:
        self.reading: dict[str, Deferred[bytes]] = {}
        self.shelf: Shelf[str, bytes] = Shelf(self.read, len, bound=10)

    def read(self, key: str) -> Deferred[bytes]:
        self.reading[key] = Deferred()
        return self.reading[key]

    def put(self, key: str, value: bytes) -> None:
        self.shelf.load(key)
        self.reading.pop(key).callback(value)

    def test_asked_many_times_at_once_it_is_read_once(self) -> None:
        asked = [self.shelf.load("a") for _ in range(3)]
        self.reading.pop("a").callback(b"value")
        self.assertEqual([self.successResultOf(each) for each in asked], [b"value"] * 3)
        self.assertEqual(self.shelf.get("a"), b"value")

    def test_a_failed_reading_is_told_to_all_and_tried_anew(self) -> None:
        asked = [self.shelf.load("a") for _ in range(2)]
        self.reading.pop("a").errback(StorageDown())
        for each in asked:
            self.failureResultOf(each, StorageDown)
        self.put("a", b"value")
        self.assertEqual(self.shelf.get("a"), b"value")

    def test_the_least_used_goes_first(self) -> None:
        for key in "abc":
            self.put(key, b"123")
        self.shelf.get("a")
        self.put("d", b"123")
        self.assertEqual([key for key in "abcd" if self.shelf.get(key)], ["a", "c", "d"])
        self.assertEqual(self.shelf.size, 9)
        self.put("e", b"x" * 100)
        self.assertEqual(self.shelf.size, 100)


class Gatherer:
    """Who feeds uploads and notes what it is told."""

    def __init__(self) -> None:
        self.settled = 0
        self.broke: list[Outcome | Failed] = []

    def upload_settled(self) -> None:
        self.settled += 1

    def upload_broke(self, upload: Upload, outcome: Outcome | Failed) -> None:
        self.broke.append(outcome)


class UploadsTests(TestCase):
    def setUp(self) -> None:
        self.woken = 0
        self.uploads = Uploads(Clock(), self.wake)
        self.feeder = Gatherer()

    def wake(self) -> None:
        self.woken += 1

    def upload(self, number: int = 1, size: int = 0) -> Upload:
        return Upload(UploadKey("ann", b"c", number), None, size, self.feeder)

    def cut(self) -> tuple[Piece, Answer]:
        """Take what the next batch is to store."""
        [(entry, answer)] = self.uploads.cut(quiet=False)
        assert isinstance(entry, Piece)
        return entry, answer

    def test_pieces_are_gathered_into_rows(self) -> None:
        upload = self.upload(size=5)
        for _ in range(2 * ROW // 1000):
            self.uploads.put(upload, b"x" * 1000)
        rows = []
        while self.uploads:
            rows.append(self.cut()[0])
        self.assertEqual([(row.offset, len(row.data)) for row in rows[:2]], [(5, ROW // 1000 * 1000), (262005, 262000)])
        self.assertTrue(all(len(row.data) <= ROW for row in rows))
        self.assertEqual(upload.size, 5 + 2 * ROW // 1000 * 1000)

    def test_a_row_that_is_being_stored_grows_no_more(self) -> None:
        upload = self.upload()
        self.uploads.put(upload, b"first")
        first, _ = self.cut()
        self.uploads.put(upload, b"second")
        second, _ = self.cut()
        self.assertEqual((first.data, second.data, second.offset), (b"first", b"second", 5))

    def test_a_batch_takes_one_row_the_one_that_waits_longest(self) -> None:
        for number in (3, 1, 2):
            self.uploads.put(self.upload(number), b"x" * ROW)
        self.assertEqual([self.cut()[0].upload.number for _ in range(3)], [3, 1, 2])
        self.assertFalse(self.uploads)

    def test_it_takes_some_while_nobody_talks(self) -> None:
        for number in range(QUIET + 1):
            self.uploads.put(self.upload(number), b"x" * ROW)
        self.assertEqual([len(self.uploads.cut(quiet=True)) for _ in range(2)], [QUIET, 1])

    def test_small_ones_are_taken_together(self) -> None:
        for number in range(50):
            self.uploads.put(self.upload(number), b"x")
        self.assertEqual(len(self.uploads.cut(quiet=False)), 50)

    def test_many_small_ones_fill_the_budget(self) -> None:
        for number in range(WAITING // PLACE):
            self.uploads.put(self.upload(number), b"x")
        self.assertTrue(self.uploads.budget.full)

    def test_it_settles_at_what_there_was_though_more_comes(self) -> None:
        upload = self.upload()
        self.uploads.put(upload, b"x" * ROW)
        settled = upload.settled()
        self.uploads.put(upload, b"x" * ROW)
        self.cut()[1](True)
        self.successResultOf(settled)
        self.assertEqual(upload.stored, ROW)

    def test_what_is_not_stored_counts_until_it_is(self) -> None:
        upload = self.upload()
        for _ in range(WAITING // ROW):
            self.uploads.put(upload, b"x" * ROW)
        self.assertTrue(self.uploads.budget.full)
        _, answer = self.cut()
        self.assertTrue(self.uploads.budget.full)
        answer(True)
        while self.uploads:
            self.cut()[1](True)
        self.assertEqual(self.uploads.budget.taken, 0)
        self.assertFalse(self.uploads.budget.full)

    def test_settled_when_all_is_stored(self) -> None:
        upload = self.upload()
        self.uploads.put(upload, b"x")
        settled = upload.settled()
        _, answer = self.cut()
        self.assertNoResult(settled)
        answer(True)
        self.successResultOf(settled)
        self.successResultOf(upload.settled())
        self.assertEqual(self.feeder.settled, 1)

    def test_what_is_not_taken_is_told_once(self) -> None:
        upload = self.upload()
        answers = []
        for _ in range(2):
            self.uploads.put(upload, b"x")
            answers.append(self.cut()[1])
        for answer in answers:
            answer(False)
        self.assertEqual(self.feeder.broke, [False])


class FetchTests(TestCase):
    """Fetches as a server gives them."""

    def setUp(self) -> None:
        self.house = House()
        self.ann = self.house.peer("ann", history=0)

    def stored(self, data: bytes) -> int:
        """Upload ``data`` as ann and return the message's id."""
        for start in range(0, len(data), MAX_BODY):
            self.ann.says(frames.Part(1, start), data[start : start + MAX_BODY])
            self.house.settle()
        self.ann.says(frames.Send(1, upload=1, size=len(data), name="f"))
        self.house.settle()
        return int(self.ann.heard(frames.Ack)[-1].id)

    def until_done(self, *peers: Peer) -> None:
        """Let all go on until each has heard ``done``."""
        for _ in range(100):
            self.house.settle()
            if not [peer for peer in peers if not peer.heard(frames.Done)]:
                return
        self.fail("not done")

    def fetched(self, peer: Peer) -> bytes:
        return b"".join(body for frame, body in peer.frames if isinstance(frame, frames.Piece))

    def test_a_reader_that_stops_holds_less_than_a_piece_and_loses_nothing(self) -> None:
        id = self.stored(FILE)
        slow = self.house.peer("slow", room=100_000, history=0)
        slow.says(frames.Fetch(id, 5))
        for _ in range(3):
            self.house.settle()
            slow.transport.take(0)
        self.assertGreater(slow.transport.held, 0)
        self.assertLess(slow.transport.held, 65_536)
        while not slow.heard(frames.Done):
            slow.transport.take(10_000)
            self.house.settle()
            self.assertLess(slow.transport.held, 65_536)
        self.assertEqual(self.fetched(slow), FILE)
        self.assertEqual(len(slow.heard(frames.Done)), 1)

    def test_a_socket_that_takes_nothing_at_all_loses_nothing(self) -> None:
        id = self.stored(FILE)
        slow = self.house.peer("slow", history=0)
        slow.transport.room = 0
        slow.says(frames.Fetch(id, 5))
        self.house.settle()
        self.assertEqual(slow.transport.held, 0)
        slow.transport.take(1 << 30)
        self.until_done(slow)
        self.assertEqual(self.fetched(slow), FILE)

    def test_many_who_fetch_the_same_cost_one_reading(self) -> None:
        id = self.stored(FILE)
        peers = [self.house.peer(f"peer{number}", history=0) for number in range(10)]
        before = self.house.storage.read
        for peer in peers:
            peer.says(frames.Fetch(id, 5))
        self.until_done(*peers)
        for peer in peers:
            self.assertEqual(self.fetched(peer), FILE)
        self.assertEqual(self.house.storage.read - before, len(FILE) // 100_000 + 2)  # one that is empty ends it

    def test_only_some_have_their_turn_at_once_so_that_others_can_speak_between(self) -> None:
        id = self.stored(FILE)
        peers = [self.house.peer(f"peer{number}", history=0) for number in range(2 * AT_ONCE)]
        clock = TurnClock()
        self.house.server.turns = Turns(clock)
        for peer in peers:
            peer.says(frames.Fetch(id, 5))
        self.house.settle()
        while not all(peer.heard(frames.Done) for peer in peers):
            before = [len(self.fetched(peer)) for peer in peers]
            clock.turn()
            self.house.settle()
            after = [len(self.fetched(peer)) for peer in peers]
            self.assertLessEqual(sum(b != a for b, a in zip(before, after, strict=True)), AT_ONCE)

    def test_who_cancels_much_is_read_no_faster_than_the_storage(self) -> None:
        id = self.stored(FILE)
        for offset in range(100):
            self.ann.says(frames.Fetch(id, 5, offset=offset))
            self.ann.says(frames.Cancel(5))
        self.assertEqual(self.ann.transport.producerState, "paused")
        self.assertEqual(len(self.ann.heard(frames.Done)), 1)
        self.house.settle()
        self.assertEqual(len(self.ann.heard(frames.Done)), 100)

    def test_a_ref_that_is_used_anew_is_another_question(self) -> None:
        id = self.stored(FILE)
        for first in (frames.Fetch(99, 5), frames.Rooms(5), frames.History(10, 5)):
            ann = self.house.peer(f"ann{type(first).__name__}", history=0)
            ann.says(first)
            ann.says(frames.Cancel(5))
            ann.says(frames.Fetch(id, 5))
            while len(ann.heard(frames.Done)) < 2:
                self.house.settle()
            self.assertEqual(self.fetched(ann), FILE)
            for kind in (frames.Error, frames.RoomList):
                self.assertEqual(ann.heard(kind), [], first)

    def test_nothing_behind_an_end_is_kept_forever(self) -> None:
        id = self.stored(FILE)
        self.house.server.stored.contents._bound = 10_000
        for offset in range(100):
            self.ann.says(frames.Fetch(id, 5, offset=len(FILE) + offset))
            self.house.settle()
        self.assertLess(len(self.house.server.stored.contents._kept), 50)

    def test_cancelled_it_gives_nothing_more(self) -> None:
        id = self.stored(FILE)
        self.ann.says(frames.Fetch(id, 5))
        self.ann.says(frames.Cancel(5))
        self.house.settle()
        self.assertEqual(self.fetched(self.ann), b"")
        self.assertEqual(len(self.ann.heard(frames.Done)), 1)


class FlowTests(TestCase):
    """Who feeds an upload faster than it is stored is read no more."""

    def setUp(self) -> None:
        self.house = House()

    def fill(self, peer: Peer, upload: int) -> int:
        """Say parts until the peer is not read; return how many bytes that were."""
        offset = 0
        while peer.transport.producerState != "paused":
            peer.says(frames.Part(upload, offset), FILE[:MAX_BODY])
            if not offset:
                while self.house.steps.step():  # the first one looks for what is stored of it
                    pass
            offset += MAX_BODY
            assert offset < 2 * WAITING
        return offset

    def test_until_it_is_stored(self) -> None:
        ann = self.house.peer("ann")
        said = self.fill(ann, 1)
        self.assertLess(said, WAITING + 2 * MAX_BODY)
        self.house.settle()
        self.assertEqual(ann.transport.producerState, "producing")
        ann.says(frames.Resume(1, 9))
        self.house.settle()
        self.assertEqual(ann.heard(frames.Resumed)[-1].size, said)

    def test_resume_is_answered_while_more_comes(self) -> None:
        ann = self.house.peer("ann")
        ann.says(frames.Part(1, 0), b"x" * 1000)
        self.house.settle()
        ann.says(frames.Part(1, 1000), b"x" * 1000)
        ann.says(frames.Resume(1, 9))
        self.house.clock.advance(0)
        ann.says(frames.Part(1, 2000), b"x" * 1000)
        self.assertTrue(self.house.steps.step())
        self.assertEqual([frame.size for frame in ann.heard(frames.Resumed)], [2000])

    def test_a_resume_that_was_cancelled_is_not_told(self) -> None:
        ann = self.house.peer("ann")
        ann.says(frames.Part(1, 0), b"x")
        self.house.settle()
        ann.says(frames.Part(1, 1), b"x")
        ann.says(frames.Resume(1, 5))
        ann.says(frames.Cancel(5))
        self.house.clock.advance(0)  # so that the part is stored before the rooms are listed
        ann.says(frames.Rooms(5))
        self.house.settle()
        self.assertEqual(ann.heard(frames.Resumed), [])
        self.assertEqual(len(ann.heard(frames.Done)), 2)

    def test_who_sends_what_is_refused_is_held_too(self) -> None:
        ann = self.house.peer("ann")
        for seq in range(1, 50_000):
            ann.says(frames.Send(seq, room="nowhere"))
            if ann.transport.producerState == "paused":
                break
        self.assertLess(seq, 20_000)
        self.house.settle()
        self.assertEqual(ann.transport.producerState, "producing")

    def test_a_database_that_cannot_look_refuses_and_says_so(self) -> None:
        ann = self.house.peer("ann")

        def broken(_: object) -> int:
            raise ZeroDivisionError

        self.house.storage.upload_size = broken  # type: ignore[method-assign, assignment]
        ann.says(frames.Send(1, upload=1, size=3))
        ann.says(frames.Part(2, 0), b"x")
        ann.says(frames.Resume(3, 9))
        ann.says(frames.Send(2), b"hello")
        self.house.settle()
        self.assertEqual(sorted(str(e.seq) for e in ann.heard(frames.Error)), ["1", "UNSET", "UNSET"])
        self.assertEqual({e.code for e in ann.heard(frames.Error)}, {"failed"})
        self.assertEqual(len(ann.heard(frames.Error)), 3)
        self.assertEqual(ann.heard(frames.Ack)[-1].seq, 2)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 3)

    def test_others_talk_meanwhile(self) -> None:
        ann, bob = self.house.peer("ann"), self.house.peer("bob")
        self.fill(ann, 1)
        bob.says(frames.Send(1), b"hello")
        self.house.clock.advance(0)
        self.house.steps.step()
        self.house.clock.advance(0)
        self.house.steps.step()
        self.assertEqual(len(bob.heard(frames.Ack)), 1)

    def test_who_goes_without_a_secret_leaves_no_upload(self) -> None:
        ann = self.house.peer("ann")
        ann.says(frames.Part(1, 0), b"hello")
        self.house.settle()
        self.assertEqual(len(self.house.storage.uploads), 1)
        ann.ends()
        self.house.settle()
        self.assertEqual(self.house.storage.uploads, {})


class LimitsTests(TestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.size: Any = 0

    def measure(self) -> Deferred[int]:
        result: Deferred[int] = Deferred()
        result.errback(self.size) if isinstance(self.size, Exception) else result.callback(self.size)
        return result

    def limits(self, **allowed: int) -> Limits:
        made = Limits(Allowed(**allowed), self.measure, self.clock)
        made.start()
        self.addCleanup(made.stop)
        return made

    def test_what_comes_between_two_measurements_counts(self) -> None:
        self.size = 900
        limits = self.limits(max_storage=1000)
        limits.take(60)
        self.assertRaises(Refused, limits.take, 60)
        limits.take(40)
        self.size = 100
        self.clock.advance(MEASURE_EVERY)
        limits.take(900)
        self.assertRaises(Refused, limits.take, 1)

    def test_while_the_database_is_away_the_count_goes_on(self) -> None:
        limits = self.limits(max_storage=1000)
        limits.take(900)
        self.size = StorageDown("gone")
        self.clock.advance(MEASURE_EVERY)
        self.assertRaises(Refused, limits.take, 200)
        self.size = 0
        self.clock.advance(MEASURE_EVERY)
        limits.take(1000)

    def test_without_limits_all_goes(self) -> None:
        limits = self.limits()
        limits.take(2**60)
        limits.check_message(2**60)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_the_largest_message(self) -> None:
        limits = self.limits(max_message=100)
        limits.check_message(100)
        self.assertRaises(Refused, limits.check_message, 101)


class CleaningTests(TestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.left = 3
        self.down = False
        self.away = False

    def clean(self, forgotten: int) -> bool:
        if self.down:
            raise StorageDown("gone")
        self.left -= 1
        return self.left > 0

    def test_at_the_start_and_every_minute_a_little_at_a_time(self) -> None:
        house = House()
        house.storage.clean = self.clean  # type: ignore[method-assign]
        cleaning = Cleaning(house.storage, house.steps, lambda: self.away, self.clock)  # type: ignore[arg-type]
        cleaning.start()
        self.addCleanup(cleaning.stop)
        self.assertEqual(self.left, 3)
        for left in (2, 1, 0):
            self.assertTrue(house.steps.step())
            self.assertEqual(self.left, left)
        self.assertFalse(house.steps.step())
        self.down = True
        self.clock.advance(EVERY)
        self.assertTrue(house.steps.step())
        self.down, self.left, self.away = False, 1, True
        self.clock.advance(EVERY)
        self.assertFalse(house.steps.step())  # what waits for the database is not left alone
        self.away = False
        self.clock.advance(EVERY)
        self.assertTrue(house.steps.step())
        self.assertEqual(self.left, 0)

    def test_after_the_database_was_away_nothing_is_forgotten_for_an_hour(self) -> None:
        house = House()
        at: list[float] = []  # when something could be forgotten

        def clean(forgotten: int) -> bool:
            if forgotten:
                at.append(house.clock.seconds())
            return False

        house.storage.clean = clean  # type: ignore[method-assign]
        house.server.start()
        house.settle()
        house.storage.faults.extend(["before"] * 2)
        house.peer("ann")
        house.clock.advance(1)
        house.settle()
        for _ in range(LEFT_ALONE // int(EVERY) + 1):
            house.clock.advance(EVERY)
            house.settle()
        self.assertEqual(at[0], 0)
        self.assertGreaterEqual(at[1], LEFT_ALONE)

    def test_one_that_is_asked_about_is_not_left_alone(self) -> None:
        house = House()
        pieces: list[tuple[int, bytes]] = []
        append = house.storage._append

        def note(piece: Piece) -> bool:
            pieces.append((piece.offset, piece.data))
            return append(piece)

        house.storage._append = note  # type: ignore[method-assign]
        ann = house.peer("ann")
        ann.says(frames.Resume(1, 9))
        ann.says(frames.Part(1, 0), b"hello")
        house.settle()
        ann.says(frames.Resume(1, 9))
        house.settle()
        self.assertEqual(pieces, [(0, b"hello"), (5, b"")])
