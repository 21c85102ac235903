"""What waits holds up only what has to wait: the order of what one client says, and what becomes of it at an end."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from server import connection as connection_module
from server.budget import READ, Budget
from server.intake import BEHIND, Intake
from storage.interface import StorageDown
from tests.server.fakes import House, Peer
from wire import frames
from wire.frames import MAX_BODY, encode


async def until(done: Deferred[None]) -> None:
    await done


class Source:
    """Where an intake reads, and what it takes; ``rest`` is delivered when it is resumed."""

    def __init__(self) -> None:
        self.reading = True
        self.taken: list[int] = []
        self.rest: list[Callable[[], None]] = []
        self.all_taken: list[int] = []  # how much was, each time that all was
        self.intake = Intake(self)

    def pauseProducing(self) -> None:
        self.reading = False

    def resumeProducing(self) -> None:
        self.reading = True
        while self.rest and self.reading:
            self.rest.pop(0)()

    def caught_up(self) -> None:
        self.all_taken.append(len(self.taken))

    def put(self, *numbers: int, size: int = 10) -> None:
        for number in numbers:
            self.intake.put(partial(self.taken.append, number), size)

    def waits(self) -> Deferred[None]:
        done: Deferred[None] = Deferred()
        self.intake.wait_for(until(done))
        return done


class IntakeTests(TestCase):
    def setUp(self) -> None:
        self.source = Source()
        self.intake = self.source.intake

    def test_what_comes_behind_a_work_keeps_its_order(self) -> None:
        self.source.put(1)
        first, second = self.source.waits(), self.source.waits()
        self.source.put(2, 3)
        first.callback(None)
        self.assertEqual(self.source.taken, [1])
        self.assertTrue(self.source.reading)
        second.callback(None)
        self.assertEqual(self.source.taken, [1, 2, 3])
        self.assertEqual(self.source.all_taken, [3])

    def test_it_stops_at_the_next_work(self) -> None:
        first, second = self.source.waits(), Deferred[None]()
        self.intake.put(lambda: self.intake.wait_for(until(second)), 10)
        self.source.put(1)
        first.callback(None)
        self.assertEqual((self.source.taken, self.source.all_taken), ([], []))
        second.callback(None)
        self.assertEqual((self.source.taken, self.source.all_taken), ([1], [1]))

    def test_so_much_may_wait_and_no_more_is_read(self) -> None:
        done = self.source.waits()
        self.source.put(1, size=BEHIND // 2)
        self.assertTrue(self.source.reading)
        self.source.put(2, size=BEHIND // 2)
        self.assertFalse(self.source.reading)
        self.source.rest.append(lambda: self.source.put(3))
        done.callback(None)
        self.assertEqual((self.source.taken, self.source.reading), ([1, 2, 3], True))
        self.source.waits()
        self.source.put(4, size=BEHIND // 2)
        self.assertTrue(self.source.reading)

    def test_many_that_are_empty_take_their_place_too(self) -> None:
        self.source.waits()
        for number in range(BEHIND):
            self.source.put(number, size=0)
            if not self.source.reading:
                break
        self.assertLess(number, 300)

    def test_thousands_of_works_that_are_done_at_once(self) -> None:
        done, already = self.source.waits(), Deferred[None]()
        already.callback(None)
        for _ in range(3000):
            self.intake.put(lambda: self.intake.wait_for(until(already)), 10)
        done.callback(None)
        self.assertFalse(self.intake.busy)

    def test_a_hold_stops_what_waits_too(self) -> None:
        done = self.source.waits()
        self.intake.put(lambda: self.intake.hold("why"), 10)
        self.source.put(1)
        done.callback(None)
        self.assertEqual((self.source.taken, self.source.reading), ([], False))
        self.intake.release("another")
        self.assertEqual(self.source.taken, [])
        self.intake.release("why")
        self.assertEqual((self.source.taken, self.source.reading), ([1], True))

    def test_a_budget_that_is_full_holds_it_up(self) -> None:
        budget = Budget(READ, Clock())
        budget.take(READ)
        done = self.source.waits()
        self.intake.put(lambda: self.intake.keep_within(budget, "budget"), 10)
        self.source.put(1)
        done.callback(None)
        self.assertEqual((self.source.taken, self.source.reading), ([], False))
        budget.give_back(READ)
        self.assertEqual((self.source.taken, self.source.reading), ([1], True))

    def test_what_was_read_of_a_lost_connection_is_taken_without_regard_to_any_hold(self) -> None:
        done = self.source.waits()
        self.intake.hold("why")
        self.source.put(1)
        self.source.rest = [lambda: self.source.put(2, size=BEHIND), lambda: self.source.put(3)]
        self.intake.lost()
        self.assertEqual(self.source.all_taken, [])
        done.callback(None)
        self.assertEqual((self.source.taken, self.source.all_taken), ([1, 2, 3], [3]))

    def test_a_work_that_is_done_at_once_is_not_the_end_of_what_was_read(self) -> None:
        already = Deferred[None]()
        already.callback(None)
        self.intake.hold("why")
        self.source.rest = [lambda: self.intake.wait_for(until(already)), lambda: self.source.put(1)]
        self.intake.lost()
        self.assertEqual(self.source.all_taken, [1])

    def test_closed_it_forgets_what_waits_and_holds_up_nobody(self) -> None:
        done = self.source.waits()
        self.source.put(1)
        self.intake.close()
        self.intake.hold("why")
        done.callback(None)
        self.assertEqual((self.source.taken, self.source.reading), ([], True))

    def test_shut_it_takes_what_waits_and_reads_no_more(self) -> None:
        done = self.source.waits()
        self.source.put(1)
        shut = self.intake.shut()
        self.assertFalse(self.source.reading)
        self.assertNoResult(shut)
        done.callback(None)
        self.successResultOf(shut)
        self.assertEqual((self.source.taken, self.source.reading), ([1], False))

    def test_a_work_that_fails_is_logged_and_what_waits_goes_on(self) -> None:
        done = self.source.waits()
        self.source.put(1)
        done.errback(ZeroDivisionError())
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.source.taken, [1])


class BehindALook(TestCase):
    """Ann's first part waits for a look into the database; the test says when that is done."""

    def setUp(self) -> None:
        self.house = House(ping=10, grace=4)
        self.house.server.start()
        self.house.settle()
        self.ann = self.house.peer("ann")
        self.bob = self.house.peer("bob")
        self.ann.says(frames.Part(1, 0), b"hello")

    def texts(self) -> list[str]:
        return [message.text for message in self.house.storage.messages[1]]

    def heard(self, ref: int) -> list[str]:
        return [type(frame).__name__ for frame, _ in self.ann.frames if getattr(frame, "ref", None) == ref]


class PassingTests(BehindALook):
    def test_what_a_client_says_is_taken_in_its_order(self) -> None:
        self.ann.says(frames.Ping(1))
        self.ann.says(frames.Who(2))
        self.ann.says(frames.Rooms(3))
        self.ann.says(frames.Cancel(3))
        self.assertEqual([self.heard(ref) for ref in (1, 2, 3)], [[], [], []])
        self.house.settle()
        self.assertEqual([self.heard(ref) for ref in (1, 2, 3)], [["Pong"], ["Users", "Done"], ["Done"]])

    def test_what_is_stored_keeps_its_order(self) -> None:
        self.ann.says(frames.Send(1, upload=1, size=5))
        self.ann.says(frames.Send(2), b"then")
        self.ann.says(frames.Send(9), b"skips")
        self.ann.connection.dataReceived(encode(frames.Send(3))[:-2].replace(b'"seq":3', b'"sex":3') + b"},")
        self.assertEqual(self.ann.heard(frames.Error), [])
        self.house.settle()
        self.assertEqual(self.texts(), ["hello", "then"])
        self.assertEqual(sorted(error.code for error in self.ann.heard(frames.Error)), ["bad_frame", "bad_seq"])

    def test_a_cancel_of_what_waits_waits(self) -> None:
        self.ann.says(frames.Join("other"))
        self.ann.says(frames.History(10, 2, room="other"))
        self.ann.says(frames.Cancel(2))
        self.house.settle()
        self.assertEqual(self.heard(2), ["Done"])

    def test_while_the_database_is_away_what_needs_it_not_is_answered(self) -> None:
        self.house.storage.upload_size = self.away  # type: ignore[method-assign, assignment]
        self.house.settle()
        self.ann.says(frames.Resume(2, 9))
        self.ann.says(frames.Ping(1))  # before anybody knows
        self.ann.says(frames.Send(1), b"then")
        self.house.storage.faults.extend(["before"] * 30)
        self.assertEqual(self.heard(1), [])
        self.bob.says(frames.Send(1), b"x")
        for _ in range(2):
            self.house.settle()
            self.house.clock.advance(0.1)
        self.assertEqual(self.heard(1), ["Pong"])
        self.ann.says(frames.Ping(2))
        for ref, question in enumerate((frames.Who, frames.Rooms, frames.Who, partial(frames.History, 9)), 3):
            room = {"room": "nowhere"} if ref == 5 else {}
            self.ann.says(question(ref, **room))  # type: ignore[operator]
        self.ann.says(frames.Cancel(9))
        self.assertEqual([self.heard(ref) for ref in range(2, 7)], [["Pong"]] + [["Error"]] * 4)
        self.assertEqual({error.code for error in self.ann.heard(frames.Error)}, {"storage_down"})
        self.assertEqual((self.heard(9), self.ann.heard(frames.Ack)), (["Done"], []))

    def away(self, _: object) -> int:
        raise StorageDown("gone")

    def test_during_a_login_nothing_comes_before_the_welcome(self) -> None:
        cy = Peer(self.house.server)
        cy.says(frames.Login("cy"))
        cy.says(frames.Ping(1))
        cy.says(frames.Rooms(2))
        self.assertEqual(cy.frames, [])
        self.house.settle()
        self.assertEqual(type(cy.frames[0][0]), frames.Welcome)
        self.assertEqual((len(cy.heard(frames.Pong)), len(cy.heard(frames.RoomList))), (1, 1))


class EndTests(BehindALook):
    def says_more(self) -> None:
        self.ann.says(frames.Send(1, upload=1, size=5))
        self.ann.says(frames.Part(2, 0), b"more")
        self.ann.says(frames.Send(2, upload=2, size=4))
        self.ann.says(frames.Send(3), b"last")

    def test_what_a_lost_connection_had_sent_is_stored(self) -> None:
        self.says_more()
        said = self.ann.transport.sent
        self.ann.ends()
        self.assertEqual(len(self.house.server.get_all()), 2)
        self.house.settle()
        self.assertEqual(self.texts(), ["hello", "more", "last"])
        self.assertEqual(self.house.server.get_all(), [self.bob.connection])
        self.assertEqual(self.ann.transport.sent, said)
        self.assertEqual(
            [text for message, text in self.bob.frames if isinstance(message, frames.Message)][-1], b"last"
        )

    def test_also_behind_a_login(self) -> None:
        cy = Peer(self.house.server)
        cy.says(frames.Login("cy"))
        cy.says(frames.Send(1), b"gone already")
        cy.ends()
        self.house.settle()
        self.assertEqual(self.texts(), ["gone already"])
        self.assertEqual(cy.transport.sent, b"")
        self.assertNotIn(cy.connection, self.house.server.get_all())

    def test_its_name_is_free_meanwhile(self) -> None:
        self.ann.ends()
        again = Peer(self.house.server)
        again.says(frames.Login("ann"))
        self.assertEqual(again.heard(frames.Error), [])

    def test_the_sweep_leaves_it_alone(self) -> None:
        self.says_more()
        self.ann.ends()
        self.patch(self.house.server, "check_conn", self.fail)
        self.bob.ends()
        self.house.steps._calls.rotate(-1)
        for _ in range(100):
            self.house.clock.advance(1)
        self.house.settle()
        self.assertEqual(self.texts(), ["hello", "more", "last"])

    def test_what_a_lost_one_sent_is_left_out_behind_a_newer_login(self) -> None:
        cy = self.house.peer("cy", client="c")
        self.house.settle()
        cy.says(frames.Part(1, 0), b"hello")
        cy.says(frames.Send(1, upload=1, size=5))
        cy.ends()
        again = Peer(self.house.server)
        again.says(frames.Login("cy", client="c"))
        self.house.clock.advance(0)
        while self.house.steps._calls:
            self.house.steps._calls.reverse()  # the login first
            self.house.settle()
        self.assertEqual([welcome.received for welcome in again.heard(frames.Welcome)], [0])
        self.assertEqual(self.texts(), [])
        self.assertNotIn(cy.connection, self.house.server.get_all())

    def test_what_came_before_a_quit_is_stored_and_nothing_is_answered_behind_it(self) -> None:
        self.says_more()
        self.ann.says(frames.Quit())
        self.ann.says(frames.Ping(1))
        self.assertEqual(self.ann.heard(frames.Bye), [])
        self.house.settle()
        self.assertEqual(self.texts(), ["hello", "more", "last"])
        self.assertEqual([bye.reason for bye in self.ann.heard(frames.Bye)], ["quit"])
        self.assertEqual((len(self.ann.heard(frames.Ack)), self.heard(1)), (3, []))

    def test_a_half_close_is_the_same(self) -> None:
        self.says_more()
        self.ann.connection.readConnectionLost()
        self.house.settle()
        self.assertEqual(len(self.ann.heard(frames.Ack)), 3)
        self.assertEqual([bye.reason for bye in self.ann.heard(frames.Bye)], ["quit"])

    def test_what_came_before_a_fatal_frame_is_stored_and_nothing_behind_it(self) -> None:
        for fatal in (b"2:{},", b"x"):
            self.setUp()
            self.says_more()
            self.ann.connection.dataReceived(fatal)
            self.ann.says(frames.Send(4), b"behind")
            self.house.settle()
            self.assertEqual(self.texts(), ["hello", "more", "last"], fatal)
            self.assertEqual([bye.reason for bye in self.ann.heard(frames.Bye)], ["protocol"])

    def test_at_a_shutdown_what_was_read_is_stored_first(self) -> None:
        self.says_more()
        Deferred.fromCoroutine(self.house.server.stop())
        self.house.settle()
        self.assertEqual(len(self.ann.heard(frames.Ack)), 3)
        self.assertEqual([bye.reason for bye in self.ann.heard(frames.Bye)], ["shutdown"])

    def test_a_shutdown_ends_a_lost_one_too(self) -> None:
        self.says_more()
        self.ann.ends()
        self.bob.ends()
        ended: list[bool] = []
        Deferred.fromCoroutine(self.house.server.stop()).addCallback(ended.append)
        self.house.clock.advance(2)
        self.assertEqual((ended, self.house.server.get_all()), ([False], []))

    def test_many_parts_behind_it_are_not_read_without_end(self) -> None:
        offset = 5
        while self.ann.transport.producerState != "paused":
            self.ann.says(frames.Part(1, offset), b"x" * MAX_BODY)
            offset += MAX_BODY
        self.assertLess(offset, 3 * MAX_BODY)
        self.house.settle()
        self.ann.says(frames.Resume(1, 9))
        self.house.settle()
        self.assertEqual(self.ann.heard(frames.Resumed)[-1].size, offset)

    def test_unread_answers_hold_up_what_waits(self) -> None:
        self.ann.transport.room = 0
        self.patch(connection_module, "UNREAD_ANSWERS", 100)
        for _ in range(20):
            self.ann.says(frames.Join())
        self.ann.says(frames.Send(1), b"x")
        self.house.settle()
        self.assertEqual(self.texts(), [])
        self.ann.transport.take(1 << 20)
        self.house.settle()
        self.assertEqual(self.texts(), ["x"])
