"""What keeps order in the database: sanctions, private rooms, the audit log, and that the other servers hear of it."""

from __future__ import annotations

from dataclasses import replace

from storage import Delete, Login, Logout, Open, Register, Room, Unregister
from storage.changes import Kicked, Ruled
from storage.order import Act, Close, Deed, Expel, Impose, Invite, Kind, Lift, Ruling, Sanction, Uninvite
from tests.storage.databases import Cases, Journal, OnMariaDB, OnSQLite, send

BAN = Sanction(Kind.BAN, "2001:db8::/32", 1_764_000_000_000, "sp\N{SNOWMAN}m", "Root", 5)
MUTE = Sanction(Kind.MUTE, "bob", None, "", "Root", 6)
ACT = Act(7, "Root", "ban", "bob", "lobby", "spam")


class Keeping(Cases):
    def setUp(self) -> None:
        super().setUp()
        self.storage = self.open()
        self.journal = Journal(self.storage)

    def do(self, *deeds: Deed, act: Act = ACT) -> None:
        self.assertEqual(self.journal.commit(Ruling(act, deeds)), [True])

    def told(self) -> list[object]:
        return [change for _, change in self.storage.neighbours.changes(self.storage.neighbours.own, 0)]

    def test_sanctions_are_there_until_they_are_lifted(self) -> None:
        self.do(Impose(BAN), Impose(MUTE))
        self.assertEqual(self.storage.sanctions(), [BAN, MUTE])
        self.do(Lift(Kind.MUTE, BAN.whom), Lift(Kind.BAN, "nobody"))
        self.assertEqual(self.storage.sanctions(), [BAN, MUTE])
        self.do(Lift(Kind.BAN, BAN.whom))
        self.assertEqual(self.storage.sanctions(), [MUTE])

    def test_the_newer_one_counts(self) -> None:
        newer = replace(MUTE, until=9, reason="more", by="Eve", at=8)
        self.do(Impose(MUTE))
        self.do(Impose(newer), Impose(replace(newer, kind=Kind.BAN)))
        self.assertEqual(self.storage.sanctions(), [replace(newer, kind=Kind.BAN), newer])

    def test_who_may_be_in_a_private_room(self) -> None:
        room, other = self.journal.open("Den"), self.journal.open("other")
        self.do(Invite(other.key, "cy"))
        self.assertEqual(self.storage.private_rooms(), {})
        self.do(Close(room.key))
        self.assertEqual(self.storage.private_rooms(), {"Den": frozenset()})
        self.do(Invite(room.key, "ann"), Invite(room.key, "bob"), Invite(room.key, "ann"))
        self.assertEqual(self.storage.private_rooms(), {"Den": frozenset({"ann", "bob"})})
        self.do(Uninvite(room.key, "ann"))
        self.assertEqual(self.storage.private_rooms(), {"Den": frozenset({"bob"})})
        self.assertEqual([room.private for room in self.storage.rooms()], [True, False])
        self.do(Close(room.key, private=False))
        self.assertEqual(self.storage.private_rooms(), {})

    def test_a_room_knows_who_made_it(self) -> None:
        outcomes = self.journal.commit(Open("den", "ann"), Open("DEN", "bob"), Open("free"))
        self.assertEqual([it.owner for it in outcomes if isinstance(it, Room)], ["ann", "ann", None])
        self.assertEqual([(it.name, it.owner) for it in self.storage.rooms()], [("den", "ann"), ("free", None)])
        self.journal.commit(send(self.journal.open("den")))  # which writes its row
        self.assertEqual([(it.last_id, it.owner) for it in self.storage.rooms()], [(1, "ann"), (0, None)])

    def test_the_newest_acts_come_first(self) -> None:
        for at in range(5):
            self.do(act=replace(ACT, at=at))
        self.assertEqual(self.storage.audit(2), [replace(ACT, at=4), replace(ACT, at=3)])

    def test_a_deletion_is_noted_if_it_happens(self) -> None:
        room = self.journal.open()
        self.journal.commit(send(room, "SECRET"))
        act = Act(1, "Root", "delete", "ann 1", "lobby")
        self.journal.commit(Delete(room.key, 2, "Root", act=act), Delete(room.key, 1, "ann", 0))
        self.assertEqual(self.storage.audit(9), [])
        self.journal.commit(send(room, "SECRET"))
        self.journal.commit(Delete(room.key, 2, "Root", act=act))
        self.assertEqual(self.storage.audit(9), [act])

    def test_who_takes_a_name_later_is_another(self) -> None:
        [room] = self.journal.commit(Open("den", "ann"))
        assert isinstance(room, Room)
        self.journal.commit(Register("Ann", "$argon2id$", None, 0))
        self.do(Close(room.key), Invite(room.key, "ann"), Invite(room.key, "bob"))
        self.assertEqual(self.journal.commit(Unregister("Ann")), [True])
        self.assertEqual(self.storage.private_rooms(), {"den": frozenset({"bob"})})
        self.assertEqual([it.owner for it in self.storage.rooms()], [None])
        self.assertEqual(self.told()[-2:], [Kicked("ann", spared=b""), Ruled()])

    def test_the_others_hear_of_it(self) -> None:
        self.do(Impose(BAN), Impose(MUTE), Expel("bob", "enough"))
        self.assertEqual(self.told(), [Ruled(), Kicked("bob", "enough")])

    def test_who_is_here(self) -> None:
        self.journal.commit(Login("Ann", None, number=1))
        self.assertEqual([self.storage.is_here(user) for user in ("ann", "bob")], [True, False])
        self.journal.commit(Logout(1))
        self.assertFalse(self.storage.is_here("ann"))


class KeepingOnSQLite(Keeping, OnSQLite):
    pass


class KeepingOnMariaDB(Keeping, OnMariaDB):
    pass
