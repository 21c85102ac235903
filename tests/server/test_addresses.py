"""What one address may do, and that nobody else is meant by it."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, UnsetType
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from server import addresses as module
from server.addresses import COMINGS, Addresses, network
from server.refusals import Refused
from storage.interface import Auth
from tests.server.fakes import House, Peer
from wire import frames

OFFICE = "192.0.2.7"


class NetworkTests(TestCase):
    def test_what_counts_as_one_address(self) -> None:
        for host, one in (
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
            ("fe80::1%eth0", "fe80::/64"),
            ("127.0.0.1", None),
            ("127.1.2.3", None),
            ("::1", None),
            ("::ffff:127.0.0.1", None),
            (None, None),
            ("/run/chat", None),
        ):
            self.assertEqual(network(host), one, host)


class LoginRateTests(TestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.addresses = Addresses(self.clock, connections=10, logins=60)

    def log_in(self, network: str | None = OFFICE) -> Deferred[None]:
        return self.addresses.turn(network)

    def test_a_minutes_logins_may_come_at_once(self) -> None:
        for _ in range(60):
            self.successResultOf(self.log_in())
        self.assertNoResult(self.log_in())

    def test_then_each_waits_its_share_of_a_minute_longer(self) -> None:
        for _ in range(60):
            self.log_in()
        waiting = [self.log_in() for _ in range(3)]
        for _ in range(3):
            self.clock.advance(1)
            self.successResultOf(waiting.pop(0))
            for later in waiting:
                self.assertNoResult(later)

    def test_who_would_wait_long_is_refused_and_costs_the_others_nothing(self) -> None:
        for _ in range(60 + 30):
            self.log_in()
        for _ in range(1_000):
            with self.assertRaises(Refused) as refused:
                self.log_in()
            self.assertEqual(refused.exception.code, "too_many")
        self.clock.advance(1)
        self.log_in()

    def test_another_address_is_not_meant_nor_this_machine(self) -> None:
        for _ in range(90):
            self.log_in()
        self.successResultOf(self.log_in("192.0.2.8"))
        for _ in range(1_000):
            self.successResultOf(self.log_in(None))

    def test_after_a_quiet_minute_it_is_forgotten(self) -> None:
        for _ in range(90):
            self.log_in()
        self.clock.advance(90)
        for _ in range(60):
            self.successResultOf(self.log_in())

    def test_the_table_has_a_bound(self) -> None:
        self.patch(module, "TABLE", 100)
        for number in range(1_000):
            self.log_in(f"net{number}")
        self.assertLessEqual(len(self.addresses._logins._paid_until), 100)

    def test_at_the_end_nobody_waits(self) -> None:
        for _ in range(60):
            self.log_in()
        waiting = self.log_in()
        self.addresses.let_all_in()
        self.successResultOf(waiting)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class ServerTests(TestCase):
    """The same, seen from outside."""

    def errors(self, peer: Peer) -> list[str]:
        return [error.code for error in peer.heard(frames.Error)]

    def test_connections_of_one_address(self) -> None:
        house = House(max_per_address=3)
        peers = [Peer(house.server, host=OFFICE) for _ in range(4)]
        self.assertEqual([self.errors(peer) for peer in peers], [[], [], [], ["too_many"]])
        self.assertEqual(self.errors(Peer(house.server, host="192.0.2.8")), [])
        self.assertEqual(self.errors(Peer(house.server)), [])
        peers[0].ends()
        house.settle()
        self.assertEqual(self.errors(Peer(house.server, host=OFFICE)), [])

    def test_who_comes_again_and_again_is_turned_away(self) -> None:
        house = House(logins_per_minute=30)
        for _ in range(30 * COMINGS):
            peer = Peer(house.server, host=OFFICE)
            self.assertEqual(self.errors(peer), [])
            peer.ends()
            house.settle()
        self.assertEqual(self.errors(Peer(house.server, host=OFFICE)), ["too_many"])
        for other in "192.0.2.8", "127.0.0.1":
            self.assertEqual(self.errors(Peer(house.server, host=other)), [])
        house.clock.advance(1)
        self.assertEqual(self.errors(Peer(house.server, host=OFFICE)), [])

    def test_many_who_have_no_place_are_not_all_told(self) -> None:
        house = House(max_per_address=1)
        peers = [Peer(house.server, host=OFFICE) for _ in range(100)]
        self.assertEqual(sum(bool(self.errors(peer)) for peer in peers), 32)
        self.assertTrue(all(peer.transport.aborted for peer in peers[33:]))
        for peer in peers:
            peer.ends()
        self.assertEqual(house.server._turned_away, set())

    def test_a_login_that_waits_is_answered_in_its_turn(self) -> None:
        house = House(logins_per_minute=2)
        first, second, third = (Peer(house.server, host=OFFICE) for _ in range(3))
        for number, peer in enumerate((first, second, third)):
            peer.says(frames.Login(f"user{number}"))
            peer.says(frames.Ping(1))
        house.settle()
        self.assertTrue(second.heard(frames.Welcome))
        self.assertEqual(third.frames, [])
        house.clock.advance(30)
        house.settle()
        self.assertEqual([type(frame) for frame, _ in third.frames[:2]], [frames.Welcome, frames.Pong])

    def test_who_left_while_it_waited_is_no_trouble(self) -> None:
        house = House(logins_per_minute=1)
        Peer(house.server, host=OFFICE).says(frames.Login("first"))
        late = Peer(house.server, host=OFFICE)
        late.says(frames.Login("late"))
        late.ends()
        house.settle()
        house.clock.advance(60)
        house.settle()
        self.assertEqual(len(house.server.get_all()), 1)
        self.assertTrue(house.peer("late").heard(frames.Welcome))
        self.assertEqual(self.flushLoggedErrors(), [])

    def started(self, **settings: Any) -> House:
        """Return a server with a lobby, that has looked which rooms there are."""
        house = House(**settings)
        house.server.start()
        house.peer("first")
        return house

    def joined(self, peer: Peer) -> list[str]:
        return [joined.room for joined in peer.heard(frames.Joined)]

    def test_rooms_that_are_made_count_as_logins_do(self) -> None:
        house = self.started(logins_per_minute=3)
        ann = house.peer("ann", host=OFFICE)
        for name in ("a", "b", "c"):
            ann.says(frames.Join(name))
            ann.says(frames.Leave(name))
        house.settle()
        self.assertEqual(self.joined(ann), ["a", "b"])
        self.assertNotIn("c", house.storage.keys)
        house.peer("bob").says(frames.Join("d"))
        house.settle()
        self.assertIn("d", house.storage.keys)
        house.clock.advance(20)
        house.settle()
        self.assertEqual(self.joined(ann), ["a", "b", "c"])

    def test_so_do_those_of_a_login(self) -> None:
        house = self.started(logins_per_minute=10)
        peers = [
            house.peer(f"user{number}", host=OFFICE, rooms={f"room{number}{it}": 0 for it in range(9)})
            for number in range(2)
        ]
        self.assertEqual([len(peer.heard(frames.Welcome)) for peer in peers], [1, 0])
        self.assertEqual(len(house.storage.keys), 10)

    def test_rooms_that_are_there_cost_nothing(self) -> None:
        house = self.started(logins_per_minute=1, max_rooms=20)
        for number in range(20):
            house.peer(f"user{number}", rooms={f"room{number}": 0})
        ann = house.peer("ann", host=OFFICE, rooms={"ROOM0": 0})
        for number in range(1, 20):
            ann.says(frames.Join(f"room{number}"))
        house.settle()
        self.assertEqual(len(self.joined(ann)), 19)

    def test_a_room_too_many_is_refused_and_not_made(self) -> None:
        house = self.started(logins_per_minute=1)
        ann = house.peer("ann", host=OFFICE)
        ann.says(frames.Join("one"))
        house.settle()
        self.assertEqual([(error.code, error.room) for error in ann.heard(frames.Error)], [("too_many", "one")])
        self.assertNotIn("one", house.storage.keys)

    def test_accounts_and_changes_of_passwords_count_as_logins_do(self) -> None:
        house = self.started(logins_per_minute=3, auth=Auth.ACCOUNTS)
        ann = house.peer("ann", host=OFFICE)
        olds: list[str | UnsetType] = [UNSET, "x", "x"]
        for ref, old in enumerate(olds):
            ann.says(frames.Register("x", ref, old=old))
            house.settle()
        self.assertEqual([done.ref for done in ann.heard(frames.Done)], [0, 1])
        house.clock.advance(20)
        house.settle()
        self.assertEqual([done.ref for done in ann.heard(frames.Done)], [0, 1, 2])
