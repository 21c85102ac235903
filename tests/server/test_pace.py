"""What an operator lets one client do: how fast it talks, in how many rooms it is, what it has under way."""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from server import connection as connection_module
from server.complaints import AT_ONCE, Complaints
from server.connection import MOMENT
from server.limits import Allowed
from server.questions import OPEN
from server.server import Server
from storage.interface import IStorage
from tests.server.fakes import House, Peer, Steps
from wire import frames
from wire.frames import encode


class PaceTests(TestCase):
    def acked(self, peer: Peer) -> int:
        return len(peer.heard(frames.Ack))

    def test_messages_beyond_the_rate_wait(self) -> None:
        house = House(message_rate=10)
        ann, bob = house.peer("ann"), house.peer("bob")
        ann.connection.dataReceived(b"".join(encode(frames.Send(seq), b"x") for seq in range(1, 101)))
        house.settle()
        self.assertLess(self.acked(ann), 15)
        self.assertEqual(ann.transport.producerState, "paused")
        bob.says(frames.Send(1), b"x")
        house.settle()
        self.assertEqual(self.acked(bob), 1)
        for _ in range(50):
            house.clock.advance(0.1)
            house.settle()
        self.assertIn(self.acked(ann), range(55, 66))
        for _ in range(50):
            house.clock.advance(0.1)
            house.settle()
        self.assertEqual(self.acked(ann), 100)

    def test_bytes_beyond_the_rate_wait(self) -> None:
        house = House(byte_rate=10_000)
        ann = house.peer("ann")
        ann.connection.dataReceived(encode(frames.Send(1), b"x" * 50_000))
        self.assertEqual(ann.transport.producerState, "paused")
        house.settle()
        house.clock.advance(3.9)
        self.assertEqual(ann.transport.producerState, "paused")
        house.clock.advance(0.2)
        self.assertEqual(ann.transport.producerState, "producing")

    def test_there_is_none_unless_it_is_set(self) -> None:
        house = House()
        ann = house.peer("ann")
        ann.connection.dataReceived(b"".join(encode(frames.Send(seq), b"x") for seq in range(1, 501)))
        house.settle()
        self.assertEqual(self.acked(ann), 500)

    def test_who_is_gone_meanwhile_is_no_trouble(self) -> None:
        house = House(message_rate=1)
        ann = house.peer("ann")
        for seq in range(1, 4):
            ann.says(frames.Send(seq), b"x")
        ann.ends()
        house.settle()
        house.clock.advance(10)
        self.assertEqual(len(house.server.get_all()), 0)


class RoomsTests(TestCase):
    def test_in_how_many_one_is(self) -> None:
        house = House(max_rooms=2)
        ann = house.peer("ann", rooms={"a": 0, "b": 0})
        ann.says(frames.Join("c"))
        house.settle()
        self.assertEqual([(error.code, error.room) for error in ann.heard(frames.Error)], [("too_many", "c")])
        [refused] = house.peer("bob", rooms={"a": 0, "b": 0, "c": 0}).heard(frames.Error)
        self.assertEqual((refused.code, refused.fatal), ("too_many", True))


class QuestionsTests(TestCase):
    def test_who_is_refused_one_is_not_heard_for_a_moment(self) -> None:
        house = House()
        ann = house.peer("ann")
        many = [encode(frames.Rooms(ref)) for ref in range(OPEN + 20)]
        ann.connection.dataReceived(b"".join(many) + encode(frames.Cancel(0)) + encode(frames.Ping(9)))
        for refused in range(1, 20):
            self.assertEqual([error.code for error in ann.heard(frames.Error)], ["too_many"] * refused)
            house.clock.advance(MOMENT)
        self.assertEqual(ann.heard(frames.Pong), [])
        house.clock.advance(MOMENT)
        self.assertEqual([done.ref for done in ann.heard(frames.Done)], [0])  # though nothing was read meanwhile
        house.settle()
        self.assertEqual([pong.ref for pong in ann.heard(frames.Pong)], [9])
        self.assertEqual(len(ann.heard(frames.Done)), OPEN)


class UploadsTests(TestCase):
    def test_how_many_are_under_way(self) -> None:
        house = House(max_uploads=3)
        ann = house.peer("ann", client="c")
        for number in range(10):
            ann.says(frames.Part(number, 0), b"x")
            house.settle()
        errors = [(error.code, error.upload) for error in ann.heard(frames.Error)]
        self.assertEqual(errors, [("too_many", number) for number in range(3, 10)])
        self.assertEqual(len(ann.connection.sending._uploads), 3)

    def test_all_at_once_and_on_another_connection(self) -> None:
        house = House(max_uploads=3)
        ann = house.peer("ann", client="c")
        ann.connection.dataReceived(b"".join(encode(frames.Part(number, 0), b"x") for number in range(10)))
        house.settle()
        self.assertEqual(len(ann.heard(frames.Error)), 7)
        ann.ends()
        house.settle()
        again = house.peer("ann", client="c")
        again.says(frames.Part(20, 0), b"x")
        again.says(frames.Part(1, 1), b"y")  # one of its own goes on
        house.settle()
        self.assertEqual([error.upload for error in again.heard(frames.Error)], [20])

    def test_those_that_wait_to_be_stored_count(self) -> None:
        ann, readers = self.read_apart()
        while readers.step():  # nothing is written meanwhile
            self.house.clock.advance(0)
        self.assertEqual(len(ann.heard(frames.Error)), 7)

    def test_those_that_are_stored_while_it_is_looked_count(self) -> None:
        ann, readers = self.read_apart()
        stored = self.house.server.stored
        look = stored.open_uploads

        async def looked(*asked: Any) -> int:
            found = await look(*asked)
            await deferLater(self.house.clock, 1)
            return found

        self.patch(stored, "open_uploads", looked)
        for _ in range(40):
            while readers.step():
                pass
            self.house.settle()
            self.house.clock.advance(1)
        self.assertEqual(len(ann.heard(frames.Error)), 7)

    def read_apart(self) -> tuple[Peer, Steps]:
        """Return who begins ten uploads where three may be, and the reader's steps, which are not the writer's."""
        self.house, readers = House(), Steps()
        self.house.server = Server(
            cast(IStorage, self.house.storage),
            self.house.steps,
            readers,
            self.house.clock,
            allowed=Allowed(max_uploads=3),
        )
        self.house.server.rules.reread()
        while readers.step():
            pass
        ann = self.house.peer("ann", client="c")
        ann.connection.dataReceived(b"".join(encode(frames.Part(number, 0), b"x") for number in range(10)))
        return ann, readers

    def test_one_that_is_sent_or_dropped_makes_room(self) -> None:
        house = House(max_uploads=1)
        ann = house.peer("ann", client="c")
        ann.says(frames.Part(1, 0), b"x")
        house.settle()
        ann.says(frames.Send(1, upload=1, size=1))
        house.settle()
        ann.says(frames.Part(2, 0), b"x")
        house.settle()
        ann.says(frames.Drop(2))
        house.settle()
        ann.says(frames.Part(3, 0), b"x")
        house.settle()
        self.assertEqual(ann.heard(frames.Error), [])


class StrangersTests(TestCase):
    def setUp(self) -> None:
        self.house = House()
        self.house.server.start()

    def test_what_comes_before_a_login_has_a_bound(self) -> None:
        stranger = Peer(self.house.server)
        ping = encode(frames.Ping())
        sent = 0
        while not stranger.connection._over:
            stranger.connection.dataReceived(ping * 100)
            sent += len(ping) * 100
            self.assertLess(sent, 300_000)
        self.assertGreater(sent, connection_module.BEFORE_LOGIN)
        [error] = stranger.heard(frames.Error)
        self.assertEqual((error.code, error.fatal), ("not_logged_in", True))
        self.assertEqual(stranger.connection._over, True)

    def test_the_largest_login_fits(self) -> None:
        ann = Peer(self.house.server)
        ann.connection.dataReceived(encode(frames.Ping()) * 10)
        payload = b'{"type":"login","user":"ann","x":"' + b"x" * (frames.MAX_FRAME - 36) + b'"}'
        data = b"%d:%b," % (len(payload), payload)
        for start in range(0, len(data), 1_000):
            ann.connection.dataReceived(data[start : start + 1_000])
        self.house.settle()
        self.assertTrue(ann.heard(frames.Welcome))

    def test_a_byte_now_and_then_buys_no_time(self) -> None:
        slow = Peer(self.house.server)
        for _ in range(4):
            slow.connection.dataReceived(b"1"[:1] if _ == 0 else b"0")
            self.house.clock.pump([1] * 10)
        self.assertTrue(slow.transport.aborted)
        [error] = slow.heard(frames.Error)
        self.assertEqual(error.code, "not_logged_in")

    def test_who_does_not_go_holds_its_place_for_a_second_at_the_most(self) -> None:
        silent = Peer(self.house.server)
        self.house.clock.pump([1] * 30)
        self.assertEqual([error.code for error in silent.heard(frames.Error)], ["not_logged_in"])
        self.assertFalse(silent.transport.aborted)
        self.house.clock.advance(1)
        self.assertTrue(silent.transport.aborted)


class ComplaintsTests(TestCase):
    def test_strangers_fill_no_disk(self) -> None:
        told: list[str] = []
        house = House()
        complaints = Complaints(house.clock)

        class Log:
            def info(self, text: str, **fields: object) -> None:
                told.append(text.format(**fields))

        self.patch(Complaints, "_log", Log())
        house.clock.advance(1_000)
        for number in range(AT_ONCE + 50):
            complaints.tell(Log(), "{number} is wrong", number=number)  # type: ignore[arg-type]
        self.assertEqual(len(told), AT_ONCE)
        house.clock.advance(60)
        complaints.tell(Log(), "{number} is wrong", number=0)  # type: ignore[arg-type]
        self.assertEqual(told[-2:], ["50 more like that were not told", "0 is wrong"])
