"""Talks of two: one room, which each of the two has under the other's name, and nobody else has at all."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import TestCase

from storage.changes import Called, Deleted, Kicked
from storage.changes import Presence as Moved
from storage.interface import Auth, Message, Register, Role
from storage.talks import Party, Talk
from tests.server.fakes import House, Members, Peer
from wire import frames

TALK = Talk.of(Party("Ann", 0), Party("bob", 0))


class TalksTests(TestCase):
    def setUp(self) -> None:
        self.house = Members()
        self.ann, self.bob = self.member("Ann"), self.member("bob")

    def member(self, name: str, **login: Any) -> Peer:
        return self.house.member(name, rooms=login.pop("rooms", {}), **login)

    def ask(self, peer: Peer, frame: frames.Frame, body: bytes = b"") -> list[Any]:
        """Return what comes of it."""
        before = len(peer.frames)
        peer.says(frame, body)
        self.house.settle()
        return [frame for frame, _ in peer.frames[before:]]

    def join(self, peer: Peer, room: str, **fields: Any) -> list[Any]:
        return self.ask(peer, frames.Join(room, **fields))

    def say(self, peer: Peer, room: str, text: str) -> list[Any]:
        return self.ask(peer, frames.Send(peer.connection.sending.received + 1, room), text.encode())

    def begin(self, *texts: str) -> None:
        self.join(self.ann, "@bob")
        for text in texts:
            self.say(self.ann, "@bob", text)

    def told(self, peer: Peer) -> list[tuple[str, int, str, bytes]]:
        """Return the messages that came, with their rooms."""
        return [(it.room, it.id, it.sender, body) for it, body in peer.frames if isinstance(it, frames.Message)]

    def code(self, answer: list[Any]) -> str:
        [error] = answer
        self.assertIsInstance(error, frames.Error)
        return str(error.code)

    # -- the two

    def test_each_has_it_under_the_others_name(self) -> None:
        self.assertEqual(self.join(self.ann, "@BOB"), [frames.Joined("@bob", 1, 0)])
        self.assertEqual(self.join(self.bob, "@ann"), [frames.Joined("@Ann", 1, 0)])
        self.say(self.ann, "@bob", "hello")
        self.say(self.bob, "@ann", "yes?")
        self.assertEqual(self.told(self.ann), [("@bob", 1, "Ann", b"hello"), ("@bob", 2, "bob", b"yes?")])
        self.assertEqual(self.told(self.bob), [("@Ann", 1, "Ann", b"hello"), ("@Ann", 2, "bob", b"yes?")])
        self.assertEqual(self.ann.heard(frames.Ack), [frames.Ack(1, "@bob", 1)])
        self.assertEqual(self.bob.heard(frames.Ack), [frames.Ack(1, "@Ann", 2)])

    def test_who_is_not_in_it_comes_in_first(self) -> None:
        other = self.member("Ann", key="ann's")
        self.begin("hello")
        for peer, name in ((self.bob, "@Ann"), (other, "@bob")):
            self.assertEqual(peer.heard(frames.Joined), [frames.Joined(name, 1, 0)])
            self.assertEqual(self.told(peer), [(name, 1, "Ann", b"hello")])
            kinds = [type(it) for it, _ in peer.frames]
            self.assertLess(kinds.index(frames.Joined), kinds.index(frames.Message))

    def test_it_comes_in_where_the_talk_stands(self) -> None:
        self.begin("one", "two")
        self.ask(self.bob, frames.Leave("@Ann"))
        self.say(self.ann, "@bob", "three")
        self.assertEqual(self.bob.heard(frames.Joined)[-1], frames.Joined("@Ann", 1, 2))
        self.assertEqual([it[1] for it in self.told(self.bob)], [1, 2, 3])

    def test_who_is_in_it_is_not_called_again(self) -> None:
        self.begin("one", "two", "three")
        self.assertEqual(len(self.bob.heard(frames.Joined)), 1)
        self.assertEqual([it[1] for it in self.told(self.bob)], [1, 2, 3])

    def test_a_burst_comes_whole(self) -> None:
        self.join(self.ann, "@bob")
        for seq in range(1, 6):
            self.ann.says(frames.Send(seq, "@bob"), b"%d" % seq)
        self.house.settle()
        self.assertEqual(self.told(self.bob), [("@Ann", id, "Ann", b"%d" % id) for id in range(1, 6)])
        self.assertEqual(self.bob.heard(frames.Joined), [frames.Joined("@Ann", 1, 0)])

    def test_one_that_was_not_there_finds_it_among_its_rooms(self) -> None:
        self.bob.ends()
        self.house.settle()
        self.begin("are you there?")
        self.bob = self.member("bob")
        [listed] = self.ask(self.bob, frames.Rooms(1))[:1]
        self.assertEqual(listed.rooms["@Ann"], frames.RoomInfo(1, 1, 1))
        self.join(self.bob, "@Ann", after=0)
        self.assertEqual(self.told(self.bob), [("@Ann", 1, "Ann", b"are you there?")])

    def test_a_login_goes_on_in_it(self) -> None:
        self.begin("one", "two")
        again = self.member("bob", key="bob's", rooms={"@ANN": 1, "lobby": None})
        [welcome] = again.heard(frames.Welcome)
        self.assertEqual(welcome.rooms, {"@Ann": frames.RoomSpan(1, 2), "lobby": frames.RoomSpan(1, 0)})
        self.assertEqual(self.told(again), [("@Ann", 2, "Ann", b"two")])

    def test_who_is_in_it(self) -> None:
        self.house.server.start()
        self.begin()
        self.assertEqual(self.ask(self.ann, frames.Who(1, "@bob"))[0].users, ["Ann"])
        self.join(self.bob, "@ann")
        for peer, room in ((self.ann, "@bob"), (self.bob, "@Ann")):
            self.assertEqual(self.ask(peer, frames.Who(2, room))[0].users, ["Ann", "bob"])
        self.house.clock.advance(1)
        self.assertEqual(self.ann.heard(frames.Presence)[-1], frames.Presence("@bob", 2, ["Ann", "bob"], []))
        self.ask(self.bob, frames.Leave("@ann"))
        self.house.clock.advance(1)
        self.assertEqual(self.ann.heard(frames.Presence)[-1], frames.Presence("@bob", 1, [], ["bob"]))

    def test_history_search_and_contents(self) -> None:
        self.begin("needle", "hay")
        for peer, room in ((self.ann, "@bob"), (self.bob, "@Ann")):
            found = self.ask(peer, frames.History(9, 1, room))
            self.assertEqual([(it.room, it.id) for it in found[:-1]], [(room, 1), (room, 2)])
            found = self.ask(peer, frames.Search("needle", 9, 2, room))
            self.assertEqual([(it.room, it.id) for it in found[:-1]], [(room, 1)])

    def test_files(self) -> None:
        self.begin()
        self.ann.says(frames.Part(1, 0), b"content")
        self.ask(self.ann, frames.Send(1, "@bob", upload=1, size=7, name="a.bin"))
        self.assertEqual(self.bob.heard(frames.Joined), [frames.Joined("@Ann", 1, 0)])
        [message] = self.bob.heard(frames.Message)
        self.assertEqual((message.room, message.name, message.size), ("@Ann", "a.bin", 7))
        self.ask(self.bob, frames.Fetch(1, 3, "@Ann"))
        self.assertEqual([body for it, body in self.bob.frames if isinstance(it, frames.Piece)], [b"content"])

    def test_deleting(self) -> None:
        self.begin("mine")
        self.assertEqual(self.code(self.ask(self.bob, frames.Delete(1, 1, "@Ann"))), "forbidden")
        self.ask(self.ann, frames.Delete(1, 1, "@bob"))
        self.assertEqual(self.ann.heard(frames.Deleted), [frames.Deleted("@bob", 1, "Ann")])
        self.assertEqual(self.bob.heard(frames.Deleted), [frames.Deleted("@Ann", 1, "Ann")])

    def test_an_operators_deletion_is_noted(self) -> None:
        root = self.house.member("root", Role.OPERATOR)
        self.join(root, "@bob")
        self.say(root, "@bob", "x")
        self.ask(root, frames.Delete(1, 1, "@bob"))
        self.assertEqual([it.room for it in self.house.storage.acts], [Talk.of(Party("root", 0), TALK.two).name])

    def test_who_reads_slowly_reads_it_from_the_database(self) -> None:
        self.begin()
        self.join(self.bob, "@ann")
        self.bob.transport.room = 0
        for number in range(300):
            self.ann.says(frames.Send(number + 1, "@bob"), b"x" * 1000)
        self.house.settle()
        for side in self.house.server.rooms.get(1):
            side.tail.trim(0)
        self.bob.transport.take(1 << 30)
        self.house.settle()
        self.assertEqual([it[:2] for it in self.told(self.bob)], [("@Ann", id) for id in range(1, 301)])

    def test_it_leaves_memory(self) -> None:
        self.house.server.start()
        self.begin("one")
        self.assertEqual(len(self.house.server.rooms.get(1)), 2)
        self.bob.ends()
        self.house.settle()
        self.house.clock.advance(2)
        self.assertEqual([it.name for it in self.house.server.rooms.get(1)], ["@bob"])
        self.ann.ends()
        self.house.settle()
        self.house.clock.advance(2)
        self.assertEqual((self.house.server.rooms.get(1), self.house.server.rooms.all()), ((), []))

    # -- others

    def test_a_third_one_has_nothing_of_it(self) -> None:
        eve = self.member("eve")
        self.begin("secret")
        self.join(eve, "@bob")
        self.join(eve, "@ann")
        self.say(self.bob, "@ann", "secret too")
        self.assertEqual(self.told(eve), [])
        for room in ("@bob", "@ann", TALK.name):
            self.assertEqual([it for it in self.ask(eve, frames.History(9, 1, room)) if type(it) is frames.Message], [])
            self.assertEqual(
                [it for it in self.ask(eve, frames.Search("secret", 9, 1, room)) if type(it) is frames.Message], []
            )
            self.assertIsInstance(self.ask(eve, frames.Fetch(1, 1, room))[-1], frames.Error)
            [*_, last] = self.ask(eve, frames.Who(1, room))
            self.assertNotIn("Ann", getattr(last, "users", []))
        listed = self.ask(eve, frames.Rooms(1))[0].rooms
        self.assertEqual({name: info.last_id for name, info in listed.items()}, {"@bob": 0, "@Ann": 0})
        self.assertEqual([it.room for it in self.ann.heard(frames.Joined)], ["@bob"])

    def test_its_own_name_is_nobodys(self) -> None:
        self.begin("secret")
        self.assertEqual(self.code(self.join(self.ann, TALK.name)), "unknown_room")
        self.assertNotIn(TALK.name, self.ask(self.ann, frames.Rooms(1))[0].rooms)

    def test_who_has_no_account_has_no_talks(self) -> None:
        guest = self.house.peer("guest", rooms={"@bob": 0, "lobby": None})
        self.assertEqual(list(guest.heard(frames.Welcome)[0].rooms), ["lobby"])
        self.assertEqual(self.code(self.join(guest, "@bob")), "forbidden")
        self.assertEqual(self.code(self.say(guest, "@bob", "x")), "forbidden")
        self.assertEqual(list(self.ask(guest, frames.Rooms(1))[0].rooms), ["lobby"])
        self.assertEqual(self.code(self.join(self.ann, "@guest")), "unknown_room")

    def test_a_guest_by_that_name_is_not_called(self) -> None:
        self.begin()
        self.house.storage.accounts.unregister("bob")
        self.bob.ends()
        self.house.settle()
        guest = self.house.peer("bob", rooms={})
        self.say(self.ann, "@bob", "secret")
        self.assertEqual((self.told(guest), guest.heard(frames.Joined)), ([], []))

    def test_nobody_talks_alone(self) -> None:
        self.assertEqual(self.code(self.join(self.ann, "@ANN")), "forbidden")
        self.assertEqual(self.code(self.join(self.ann, "@nobody")), "unknown_room")
        self.assertEqual(self.code(self.join(self.ann, "@")), "bad_name")

    def test_it_has_to_be_joined(self) -> None:
        [error] = self.say(self.ann, "@bob", "x")
        self.assertEqual((error.code, error.room, error.seq), ("not_in_room", "@bob", 1))

    def test_a_server_without_accounts_has_none(self) -> None:
        house = House(auth=Auth.OPEN)
        ann = house.peer("ann", rooms={"@bob": 0})
        self.assertEqual(ann.heard(frames.Welcome)[0].rooms, {})
        ann.says(frames.Join("@bob"))
        ann.says(frames.Send(1, "@bob"), b"x")
        house.settle()
        self.assertEqual([it.code for it in ann.heard(frames.Error)], ["forbidden"] * 2)

    def test_its_two_are_all(self) -> None:
        """Whoever they are."""
        root = self.house.member("root", Role.OPERATOR)
        self.join(root, "@bob")
        for line in ("private", "public", "invite eve", "uninvite bob", "invited"):
            self.assertEqual(self.code(self.ask(root, frames.Run(line, 1, "@bob"))), "forbidden")
        self.assertEqual((self.house.storage.invited, self.house.storage.acts), ({}, []))

    def test_who_is_muted_says_nothing_there_either(self) -> None:
        self.begin()
        root = self.house.member("root", Role.OPERATOR)
        self.ask(root, frames.Run("mute ann", 1))
        self.assertEqual(self.code(self.say(self.ann, "@bob", "x")), "forbidden")
        self.assertEqual(self.told(self.bob), [])

    # -- how many

    def bothered(self, *names: str) -> None:
        """Have these say something to bob, who may be in two talks."""
        for name in names:
            peer = self.others[name] = self.others.get(name) or self.member(name)
            self.join(peer, "@bob")
            self.say(peer, "@bob", f"hello of {name}")

    def crowded(self, *names: str) -> None:
        self.house = Members(max_rooms=2)
        self.bob = self.member("bob", rooms={"a": None, "b": None})
        self.others: dict[str, Peer] = {}
        self.bothered(*names)

    def test_talks_have_places_of_their_own(self) -> None:
        self.crowded("cy", "di")
        self.assertEqual([it.room for it in self.bob.heard(frames.Joined)], ["@cy", "@di"])
        self.member("ed")
        self.assertEqual(self.code(self.join(self.bob, "@ed")), "too_many")
        self.assertEqual(self.code(self.join(self.bob, "c")), "too_many")
        again = self.member("bob", key="bob's", rooms=dict.fromkeys(("a", "b", "@cy", "@di")))
        self.assertEqual(len(again.heard(frames.Welcome)[0].rooms), 4)

    def test_many_who_talk_to_somebody_keep_nobody_else_from_it(self) -> None:
        """The talk in which nothing was said for longest makes room."""
        self.crowded("cy", "di", "cy", "ed")
        self.assertEqual([it.room for it in self.bob.heard(frames.Joined)], ["@cy", "@di", "@ed"])
        self.assertEqual([it.room for it in self.bob.heard(frames.Left)], ["@di"])
        self.bothered("di")
        self.assertEqual([it.room for it in self.bob.heard(frames.Left)], ["@di", "@cy"])
        said = [(it[0], it[1]) for it in self.told(self.bob)]
        self.assertEqual(said, [("@cy", 1), ("@di", 1), ("@cy", 2), ("@ed", 1), ("@di", 2)])

    def test_talks_in_which_nothing_was_said_are_in_no_others_list(self) -> None:
        self.join(self.ann, "@bob")
        self.assertEqual(self.ask(self.bob, frames.Rooms(1))[0].rooms, {})
        self.assertEqual(list(self.ask(self.ann, frames.Rooms(1))[0].rooms), ["@bob"])
        self.say(self.ann, "@bob", "x")
        self.assertEqual(list(self.ask(self.bob, frames.Rooms(2))[0].rooms), ["@Ann"])

    # -- when an account goes

    def test_who_talks_with_an_account_that_is_gone_is_let_out(self) -> None:
        self.begin("one")
        self.house.storage.accounts.unregister("bob")
        self.house.server.hear(2, Kicked("bob", spared=b""))
        self.house.settle()
        self.assertEqual(self.ann.heard(frames.Left), [frames.Left("@bob")])
        self.assertEqual(self.bob.heard(frames.Bye), [frames.Bye("kicked")])
        self.assertEqual(self.code(self.join(self.ann, "@bob")), "unknown_room")

    def test_who_has_the_name_later_begins_anew(self) -> None:
        self.begin("secret")
        self.bob.ends()
        self.house.settle()
        self.house.storage.accounts.unregister("bob")
        self.house.storage.accounts.register(Register("bob", "hash", None, 77))
        later = self.member("bob")
        self.say(self.ann, "@bob", "to the one before")  # of whose end nobody has heard yet
        self.assertEqual((self.told(later), list(self.ask(later, frames.Rooms(1))[0].rooms)), ([], []))
        self.join(later, "@ann")
        self.say(later, "@ann", "hello")
        self.assertEqual(self.told(later), [("@Ann", 1, "bob", b"hello")])
        self.assertEqual(self.ann.heard(frames.Left), [frames.Left("@bob")])
        self.assertEqual(self.told(self.ann)[-1], ("@bob", 1, "bob", b"hello"))

    # -- other servers

    def elsewhere(self, *texts: str) -> None:
        """Have another server store what ann says, and tell of it."""
        self.house.storage._open(TALK.name)
        self.house.storage.talking[TALK.name] = TALK
        log = self.house.storage.messages[1]
        first = len(log) + 1
        log += [Message(TALK.name, id, "Ann", 0, text) for id, text in enumerate(texts, first)]
        self.house.server.hear(2, Called(1, first, TALK))
        self.house.settle()

    def test_what_was_said_at_another_server(self) -> None:
        self.elsewhere("one", "two")
        self.assertEqual(self.bob.heard(frames.Joined), [frames.Joined("@Ann", 1, 0)])
        self.assertEqual(self.told(self.bob), [("@Ann", 1, "Ann", b"one"), ("@Ann", 2, "Ann", b"two")])
        self.assertEqual([it[0] for it in self.told(self.ann)], ["@bob", "@bob"])

    def test_who_joins_meanwhile_is_in_it_once(self) -> None:
        self.bob.says(frames.Join("@ann", after=0))
        self.elsewhere("one", "two")
        self.assertEqual([it.room for it in self.bob.heard(frames.Joined)], ["@Ann", "@Ann"])
        self.assertEqual([it[1] for it in self.told(self.bob)], [1, 2])
        [side] = [it for it in self.house.server.rooms.get(1) if it.name == "@Ann"]
        self.assertEqual(len(side.cursors), 1)

    def test_what_was_said_there_before_is_not_left_out(self) -> None:
        """One side is open here, and behind: what came first is heard of last."""
        self.join(self.bob, "@ann")
        other = self.member("bob", key="bob's")
        log = self.house.storage.messages[1]
        log.append(Message(TALK.name, 1, "Ann", 0, "one"))
        self.say(self.bob, "@ann", "two")
        self.house.server.hear(2, Called(1, 1, TALK))
        self.house.settle()
        self.assertEqual([it[1] for it in self.told(other)], [1, 2])

    def test_what_was_deleted_at_another_server(self) -> None:
        self.begin("one")
        self.house.server.hear(2, Deleted(1, 1, "Ann"))
        self.assertEqual(self.bob.heard(frames.Deleted), [frames.Deleted("@Ann", 1, "Ann")])

    def test_who_came_at_another_server(self) -> None:
        self.begin()
        self.house.server.hear(2, Moved(1, "@Ann", ["bob"], []))
        self.assertEqual(self.ask(self.ann, frames.Who(1, "@bob"))[0].users, ["Ann", "bob"])
