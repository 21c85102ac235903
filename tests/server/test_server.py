"""What the server does with all of its connections: presence, silence, shutdown, names and places."""

from __future__ import annotations

import gc
from enum import Enum
from types import FunctionType, MethodType, ModuleType

from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from server import connection as connection_module
from server import rooms
from server import server as server_module
from server.server import PAUSE, PAUSES
from server.stored import READ_AGAIN
from storage.interface import Room, StorageDown
from tests.server.fakes import House, Peer
from wire import frames


class StartTests(TestCase):
    def test_the_rooms_are_known_also_where_the_database_is_away_at_first(self) -> None:
        house = House()
        answers = iter([StorageDown("away"), StorageDown("away")])

        def rooms(*, talks: bool = False) -> list[Room]:
            for wrong in answers:
                raise wrong
            return [Room(1, "dev", 1, 0)]

        house.storage.rooms = rooms  # type: ignore[method-assign]
        house.server.start()
        for _ in range(3):
            house.settle()
            house.clock.advance(READ_AGAIN)
        ann = house.peer("ann")
        ann.says(frames.Send(1, room="dev"), b"x")
        house.settle()
        self.assertEqual([error.code for error in ann.heard(frames.Error)], ["not_in_room"])


class PresenceTests(TestCase):
    def setUp(self) -> None:
        self.house = House()
        self.house.server.start()
        self.house.settle()
        self.ann = self.house.peer("ann")
        self.house.clock.advance(1)

    def told(self) -> list[tuple[object, object, int]]:
        return [(frame.joined, frame.left, frame.users) for frame in self.ann.heard(frames.Presence)][1:]

    def test_who_came_and_went_is_told_once_a_sweep(self) -> None:
        bob = self.house.peer("bob")
        self.house.peer("cy")
        self.assertEqual(self.told(), [])
        self.house.clock.advance(1)
        bob.ends()
        self.house.clock.advance(1)
        self.assertEqual(self.told(), [(["bob", "cy"], [], 3), ([], ["bob"], 2)])

    def test_who_comes_and_goes_in_between_is_not_told(self) -> None:
        self.house.peer("bob").ends()
        self.house.clock.advance(1)
        self.assertEqual(self.told(), [])

    def test_a_user_counts_once(self) -> None:
        self.house.peer("bob", key="k")
        self.house.peer("bob", key="k")
        self.house.clock.advance(1)
        self.assertEqual(self.told(), [(["bob"], [], 2)])

    def test_who_is_behind_is_told_the_number_when_it_keeps_up(self) -> None:
        self.ann.transport.room = 0
        self.ann.says(frames.Ping(1))  # its answer waits
        self.house.peer("bob")
        self.house.clock.advance(1)
        self.ann.transport.take(1 << 20)
        self.house.clock.advance(1)
        presence = self.ann.heard(frames.Presence)[-1]
        self.assertEqual(presence.users, 2)
        self.assertNotIsInstance(presence.joined, list)


class SilenceTests(TestCase):
    def setUp(self) -> None:
        self.house = House(ping=10)
        self.house.server.start()
        self.house.settle()

    def pass_time(self, seconds: int) -> None:
        for _ in range(seconds):
            self.house.clock.advance(1)

    def test_who_says_nothing_is_closed_after_30_s(self) -> None:
        peer = Peer(self.house.server)
        self.pass_time(29)
        self.assertEqual(peer.heard(frames.Error), [])
        self.pass_time(2)
        self.assertEqual([(e.code, e.fatal) for e in peer.heard(frames.Error)], [("not_logged_in", True)])
        self.assertTrue(peer.transport.half_closed)

    def test_single_bytes_do_not_put_the_deadline_off(self) -> None:
        peer = Peer(self.house.server)
        for byte in b"40:{":
            peer.connection.dataReceived(bytes([byte]))
            self.pass_time(10)
        self.assertEqual([e.code for e in peer.heard(frames.Error)], ["not_logged_in"])

    def test_the_silent_are_pinged_and_the_slow_are_kept(self) -> None:
        ann = self.house.peer("ann")
        self.pass_time(100)
        self.assertEqual(len(ann.heard(frames.Ping)), 10)
        self.assertEqual(ann.heard(frames.Bye), [])

    def test_the_gone_are_closed(self) -> None:
        ann = self.house.peer("ann")
        self.patch(server_module, "unacknowledged_for", lambda transport: 1000.0)
        self.pass_time(30)
        self.assertEqual(ann.heard(frames.Bye), [])
        self.pass_time(2)
        self.assertEqual([bye.reason for bye in ann.heard(frames.Bye)], ["idle"])

    def test_who_does_not_close_is_cut_off(self) -> None:
        ann = self.house.peer("ann")
        ann.says(frames.Quit())
        ann.connection.writeConnectionLost()
        self.house.clock.advance(connection_module.LINGER + 0.1)
        self.assertTrue(ann.transport.aborted)


class ShutdownTests(TestCase):
    def setUp(self) -> None:
        self.house = House(grace=4)
        self.house.server.start()
        self.house.settle()

    def stop(self) -> list[bool]:
        ended: list[bool] = []
        Deferred.fromCoroutine(self.house.server.stop()).addCallback(ended.append)
        return ended

    def test_what_was_received_is_stored_and_then_all_are_told(self) -> None:
        ann, silent = self.house.peer("ann"), Peer(self.house.server)
        ann.says(frames.Send(1), b"last words")
        ended = self.stop()
        self.house.settle()
        self.assertEqual([type(frame) for frame, _ in ann.frames[-3:]], [frames.Ack, frames.Message, frames.Bye])
        self.assertEqual(silent.frames, [])
        for peer in (ann, silent):
            peer.ends()
        self.assertEqual(ended, [True])

    def test_a_database_that_is_stuck_and_a_client_that_is_slow_are_not_waited_for_longer(self) -> None:
        ann = self.house.peer("ann")
        ann.transport.room = 0
        ann.says(frames.Send(1), b"last words")
        ended = self.stop()
        self.house.clock.advance(2)
        self.house.clock.advance(1.9)
        self.assertEqual(ended, [False])
        self.assertTrue(ann.transport.aborted)


class RegistryTests(TestCase):
    def setUp(self) -> None:
        self.house = House(max_clients=2)

    def test_it_holds_whom_it_accepted(self) -> None:
        ann, bob = self.house.peer("ann"), self.house.peer("bob")
        self.assertEqual(set(self.house.server.get_all()), {ann.connection, bob.connection})
        cy = Peer(self.house.server)
        self.assertEqual([e.code for e in cy.heard(frames.Error)], ["too_many"])
        bob.ends()
        self.assertEqual(self.house.server.get_all(), [ann.connection])

    def test_check_conn_says_how_far_behind_one_is(self) -> None:
        ann, bob = self.house.peer("ann"), self.house.peer("bob")
        bob.transport.room = 0
        for seq in (1, 2, 3):
            ann.says(frames.Send(seq), b"hello")
        self.house.settle()
        self.assertEqual(self.house.server.check_conn(ann.connection).behind, {"lobby": 0})
        self.assertEqual(self.house.server.check_conn(bob.connection).behind, {"lobby": 3})

    def test_a_room_with_nobody_in_it_leaves_memory(self) -> None:
        self.house.server.start()
        ann = self.house.peer("ann")
        ann.ends()
        self.house.clock.advance(1)
        self.assertEqual(self.house.server.rooms._by_place, {})
        self.house.peer("ann")
        self.assertEqual(list(self.house.server.rooms._by_place), ["lobby"])


class TurnTests(TestCase):
    """While people talk, who comes waits a moment for them; longer where others only come and go."""

    def turn(self) -> float:
        return self.house.server.turn_of_who_is_in()

    def test_while_people_talk(self) -> None:
        self.house = House()
        ann, bob = self.house.peer("ann"), self.house.peer("bob")
        self.assertEqual(self.turn(), 0)
        ann.says(frames.Send(1), b"hello")
        self.house.settle()
        Peer(self.house.server)
        self.assertEqual(self.turn(), PAUSE)
        bob.ends()
        Peer(self.house.server)
        self.house.settle()
        self.assertEqual(self.turn(), PAUSES * PAUSE)
        Peer(self.house.server)
        self.assertEqual(self.turn(), PAUSE)
        Peer(self.house.server)
        self.house.clock.advance(2)
        self.assertEqual(self.turn(), 0)

    def test_who_is_turned_away_takes_nobodys_place(self) -> None:
        self.house = House(max_per_address=1)
        self.house.peer("ann").says(frames.Send(1), b"hello")
        self.house.settle()
        far = [Peer(self.house.server, host="192.0.2.7") for _ in range(2)]
        self.assertEqual(self.turn(), PAUSE)
        far[1].ends()
        Peer(self.house.server, host="192.0.2.7").ends()
        self.assertEqual(self.turn(), 0)
        far[0].ends()
        Peer(self.house.server, host="192.0.2.7")
        self.assertEqual(self.turn(), PAUSES * PAUSE)


class IdleTests(TestCase):
    """Ten thousand who say nothing: what each holds is what most of the memory goes to."""

    def test_one_who_says_nothing_holds_only_where_it_stands_and_a_table_for_uploads(self) -> None:
        house = House()
        connection = house.peer("ann", client="ann").connection
        shared = [*vars(house.server).values(), house.server, connection.transport, connection.cursors["lobby"].room]
        held = [
            type(it) for it in own(connection, shared) if isinstance(it, list | dict | set | bytearray | MethodType)
        ]
        self.assertEqual(held, [dict, dict])


def own(thing: object, shared: list[object]) -> list[object]:
    """Return what can be reached from ``thing``, but for what is ``shared`` and what belongs to classes."""
    found: dict[int, object] = {}
    left = [thing]
    while left:
        it = left.pop()
        if id(it) not in found and not isinstance(it, type | ModuleType | FunctionType | Enum):
            found[id(it)] = it
            left += [other for other in gc.get_referents(it) if not any(other is one for one in shared)]
    return list(found.values())


class SlowReaderTests(TestCase):
    def setUp(self) -> None:
        self.house = House()
        self.ann, self.bob = self.house.peer("ann", rooms={"lobby": 0}), self.house.peer("bob")

    def test_one_that_is_stuck_holds_less_than_a_message(self) -> None:
        self.bob.transport.room = 7_000
        for seq in range(1, 11):
            self.ann.says(frames.Send(seq), b"x" * 5_000)
        self.house.settle()
        self.assertEqual(self.bob.transport.room, 0)
        self.assertLess(self.bob.transport.held, 5_100)
        self.bob.transport.take(1 << 20)
        self.assertEqual([message.id for message in self.bob.heard(frames.Message)], list(range(1, 11)))

    def test_nothing_of_a_room_comes_after_it_was_left_while_a_page_was_read(self) -> None:
        for seq in range(1, 11):
            self.ann.says(frames.Send(seq), b"hello")
        self.house.settle()
        for peer in (self.ann, self.bob):
            peer.ends()
        self.house.server._look_after_all()
        self.ann = Peer(self.house.server)
        self.ann.says(frames.Login("ann", rooms={"lobby": 0}))
        self.house.clock.advance(0)
        for _ in ("the login", "the room"):
            self.house.steps.step()
        self.assertEqual([span.last_id for span in self.ann.heard(frames.Welcome)[0].rooms.values()], [10])
        self.ann.says(frames.Leave())
        self.house.settle()
        self.assertEqual(self.ann.heard(frames.Message), [])

    def test_a_room_that_empties_during_a_login_is_opened_anew(self) -> None:
        self.bob.ends()
        cy = Peer(self.house.server)
        cy.says(frames.Login("cy"))
        self.ann.ends()
        self.house.server._look_after_all()
        self.house.settle()
        self.assertEqual(list(self.house.server.rooms._by_place), ["lobby"])
        self.assertEqual(len(self.house.server.rooms._by_place["lobby"].cursors), 1)


class TailsTests(TestCase):
    def setUp(self) -> None:
        self.patch(rooms, "TAILS", 5_000)
        self.house = House()
        self.ann = self.house.peer("ann", rooms={"a": None, "b": None, "c": None})

    def say(self, seq: int, room: str) -> None:
        self.ann.says(frames.Send(seq, room=room), b"x" * 2_000)
        self.house.settle()

    def tails(self) -> list[bool]:
        """Return of which rooms something is in memory."""
        return [self.house.server.rooms._by_place[name].tail.size > 0 for name in "abc"]

    def test_the_least_used_rooms_leave_memory(self) -> None:
        for seq, room in enumerate("abcab", 1):
            self.say(seq, room)
        self.assertEqual(self.tails(), [True, True, False])
        self.assertEqual(len(self.ann.heard(frames.Message)), 5)

    def test_a_room_that_is_forgotten_makes_room_for_others(self) -> None:
        self.say(1, "a")
        self.say(2, "b")
        self.ann.says(frames.Leave("a"))
        self.house.server._look_after_all()
        self.say(3, "c")
        self.assertEqual([self.house.server.rooms._by_place[name].tail.size > 0 for name in "bc"], [True, True])
