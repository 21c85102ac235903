"""The commands about rooms and people, without a terminal."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, cast
from unittest import TestCase

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.python.failure import Failure

from cli.refusals import AskRefused, ClientClosed
from cli.screen.commands import Commands
from cli.screen.conversation import Conversation
from cli.screen.highlights import Highlights
from cli.screen.ignoring import Ignoring
from cli.screen.keys import Keys
from cli.screen.modes import Mode, Secret
from cli.screen.places import Places
from cli.screen.room import Room
from cli.screen.talk import Talk
from tests.cli.screen.made import message, offered
from wire.frames import MAX_ROOMS, RoomInfo


class Asked:
    """A client that is asked, and answers when the test says so."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.answers: list[Deferred[Any]] = []

    def __getattr__(self, question: str) -> Callable[..., Deferred[Any]]:
        def ask(*about: Any, **_: Any) -> Deferred[Any]:
            self.asked.append((question, *about))
            self.answers.append(Deferred())
            return self.answers[-1]

        return ask


class FakeWriting:
    """What takes the keys."""

    def __init__(self) -> None:
        self.modes: list[Mode] = []
        self.taken_back = 0
        self.half_written = False
        self.sent: list[tuple[str, str]] = []  # where, and what

    def let(self, mode: Mode, *, everywhere: bool = False) -> None:
        self.modes.append(mode)
        assert everywhere or not isinstance(mode, Secret)

    def drop(self, mode: Mode) -> None:
        self.modes.remove(mode)

    def take_back(self) -> None:
        self.taken_back += 1

    def say_in(self, room: Room, text: str) -> None:
        self.sent.append((room.name, text))


class FakeTalk:
    """What the commands see of :class:`Talk`."""

    text_width = 20

    def __init__(self) -> None:
        self.conversation = Conversation("ann", ["lobby"], Highlights([]))
        self.commands, self.keys = Commands(), Keys()
        self.client = Asked()
        self.writing = FakeWriting()
        self.said: list[str] = []
        self.faults: list[Failure] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def changed(self) -> None:
        pass

    def begin(self, work: Coroutine[Deferred[Any], Any, None]) -> None:
        Deferred.fromCoroutine(work).addErrback(self.failed)

    def failed(self, fault: Failure) -> None:
        self.faults.append(fault)


class Typed(TestCase):
    def setUp(self) -> None:
        self.talk = FakeTalk()
        self.client = self.talk.client
        self.conversation = self.talk.conversation
        self.places = Places(cast(Talk, self.talk))
        Ignoring(cast(Talk, self.talk))

    def tearDown(self) -> None:
        self.assertEqual(self.talk.faults, [])

    def type(self, line: str) -> str:
        """Return what is said of it."""
        name, _, rest = line.partition(" ")
        command = self.talk.commands.get(name)
        assert command is not None
        command.run(rest)
        return self.said()

    def said(self) -> str:
        said, self.talk.said[:] = "\n".join(self.talk.said), []
        return said

    def answer(self, answer: object) -> str:
        """Return what is said then."""
        deferred = self.client.answers.pop()
        deferred.errback(answer) if isinstance(answer, Exception) else deferred.callback(answer)
        return self.said()

    def rooms(self) -> list[str]:
        """Return the rooms, the one that is shown in brackets."""
        return [
            f"[{room.name}]" if room is self.conversation.current else room.name for room in self.conversation.rooms
        ]


class Joining(Typed):
    def test_it_is_shown_at_once(self) -> None:
        self.assertEqual(self.type("join #Dev"), "")
        self.assertEqual((self.rooms(), self.client.asked), (["lobby", "[Dev]"], [("join", "Dev")]))
        self.assertEqual(self.answer(None), "")
        self.assertEqual(self.rooms(), ["lobby", "[Dev]"])

    def test_a_room_that_stands_there_is_shown_and_joined(self) -> None:
        self.conversation.room("dev")
        self.type("join DEV")
        self.assertEqual((self.rooms(), self.client.asked), (["lobby", "[dev]"], [("join", "dev")]))
        self.assertEqual(self.answer(None), "")

    def test_refused(self) -> None:
        self.conversation.room("ops")
        self.conversation.select(2)
        self.type("join dev")
        self.assertEqual(self.answer(AskRefused("too_many", "at most 100 rooms")), "not in dev: at most 100 rooms")
        self.assertEqual(self.rooms(), ["lobby", "[ops]"])

    def test_refused_while_one_types_there(self) -> None:
        self.type("join dev")
        self.talk.writing.half_written = True
        self.answer(AskRefused("forbidden", "not for you"))
        [hold] = self.talk.writing.modes
        self.assertEqual((self.rooms(), hold.prompt), (["[lobby]"], "not in dev: Enter goes on in lobby"))
        for key in ("more", "enter"):
            self.assertTrue(not hold.over and hold.press(key))
        self.assertTrue(hold.over)

    def test_refused_while_one_is_elsewhere(self) -> None:
        self.type("join dev")
        self.conversation.room("ops")
        self.conversation.select(3)
        self.answer(AskRefused("forbidden", "not for you"))
        self.assertEqual(self.rooms(), ["lobby", "[ops]"])

    def test_refused_when_one_has_left_where_one_was(self) -> None:
        self.conversation.room("ops")
        self.type("join dev")
        self.type("leave lobby")
        self.answer(None)
        self.answer(AskRefused("forbidden", "not for you"))
        self.assertEqual(self.rooms(), ["[ops]"])
        self.conversation.turn(1)

    def test_what_is_no_room(self) -> None:
        for typed, said in (
            ("join", "that is no room: a name has 1 to 32 characters: /join ROOM"),
            ("join a b", "a b is no room: a name has letters, digits and _ - . only: /join ROOM"),
        ):
            self.assertEqual(self.type(typed), said)
        self.assertEqual((self.rooms(), self.client.asked), (["[lobby]"], []))

    def test_talk_of_two(self) -> None:
        self.type("join @bob")
        self.assertEqual(self.client.asked, [("join", "@bob")])

    def test_a_message_to_one_alone(self) -> None:
        for typed in ("msg Bob  hi there ", "msg @bob again"):
            self.assertEqual(self.type(typed), "")
        self.assertEqual(self.rooms(), ["lobby", "[@Bob]"])
        self.assertEqual(self.talk.writing.sent, [("@Bob", " hi there"), ("@Bob", "again")])
        self.assertEqual(self.client.asked[0], ("join", "@Bob"))
        refused = AskRefused("unknown_room", "Bob has no account")
        self.assertEqual(self.answer(refused), "not in @Bob: Bob has no account")
        self.assertEqual(self.talk.said, [])

    def test_a_talk_without_a_word(self) -> None:
        self.type("msg bob")
        self.assertEqual((self.rooms(), self.talk.writing.sent), (["lobby", "[@bob]"], []))

    def test_who_is_nobody(self) -> None:
        for typed in ("msg", "msg b\u00a0b x"):
            self.assertIn("is nobody's name: ", self.type(typed))
        self.assertEqual(self.rooms(), ["[lobby]"])

    def test_the_program_ends_meanwhile(self) -> None:
        self.type("join dev")
        self.assertEqual(self.answer(ClientClosed("")), "")

    def test_again(self) -> None:
        room = self.conversation.room("dev")
        self.places.rejoin(room)
        self.assertEqual(self.client.asked, [("join", "dev")])
        self.assertEqual(self.answer(AskRefused("forbidden", "not for you")), "not in dev: not for you")
        self.assertEqual(self.rooms(), ["[lobby]"])


class Leaving(Typed):
    def setUp(self) -> None:
        super().setUp()
        self.conversation.room("dev")

    def test_the_one_that_is_shown(self) -> None:
        self.type("leave")
        self.assertEqual((self.client.asked, self.rooms()), ([("leave", "lobby")], ["[lobby]", "dev"]))
        self.answer(None)
        self.assertEqual(self.rooms(), ["[dev]"])

    def test_another_one(self) -> None:
        self.type("leave #DEV")
        self.answer(None)
        self.assertEqual((self.client.asked, self.rooms()), ([("leave", "dev")], ["[lobby]"]))

    def test_the_last_one(self) -> None:
        self.conversation.close(self.conversation.room("dev"))
        said = "lobby is the only room that you are in: /join another one first, or /quit"
        self.assertEqual((self.type("leave"), self.client.asked), (said, []))

    def test_where_one_is_not(self) -> None:
        self.assertEqual(self.type("leave ops"), "you are not in ops")

    def test_refused(self) -> None:
        self.type("leave dev")
        self.assertEqual(self.answer(AskRefused("failed", "try again")), "still in dev: try again")
        self.assertEqual(self.rooms(), ["[lobby]", "dev"])
        self.type("leave dev")
        self.answer(AskRefused("not_in_room", "you are not there"))
        self.assertEqual(self.rooms(), ["[lobby]"])


class Asking(Typed):
    def test_the_answer_is_seen(self) -> None:
        self.conversation.current.look_at((1, 0))
        self.type("who")
        self.assertTrue(self.conversation.current.follows)

    def test_who(self) -> None:
        self.type("who")
        self.assertEqual(self.client.asked, [("who", "lobby")])
        self.assertEqual(self.answer(["Zoe", "ann", "bob", "carolina"]), "4 in lobby\nann       bob\ncarolina  Zoe")

    def test_who_of_very_many(self) -> None:
        self.type("who")
        said = self.answer([f"user{number}" for number in range(1234)]).split("\n")
        self.assertEqual((said[0], len(said), said[-1]), ("1234 in lobby", 252, "and 734 more"))

    def test_rooms(self) -> None:
        self.type("rooms")
        rooms = {"tea": RoomInfo(1, 0, 0), "dev": RoomInfo(11, 11, 3), "Lobby": RoomInfo(1, 120, 3)}
        self.assertEqual(
            self.answer(rooms),
            "3 rooms, * where you are\n"
            "   dev    3 there  1 message\n"
            "*  Lobby  3 there  120 messages\n"
            "   tea    0 there  0 messages",
        )

    def test_no_answer(self) -> None:
        for question in ("who", "rooms"):
            self.type(question)
            self.assertEqual(self.answer(AskRefused("storage_down", "try again soon")), "try again soon")
            self.type(question)
            self.assertEqual(self.answer(ConnectionLost("")), "there is no connection; try again once it is live")


class Hiding(Typed):
    def test_ignore(self) -> None:
        self.assertEqual(self.type("ignore"), "nobody is ignored")
        self.assertEqual(self.type("ignore Bob"), "what Bob says is hidden from now on; /unignore Bob hears them again")
        self.assertTrue(self.conversation.hides("bob"))
        self.type("ignore ann-2")
        self.assertEqual(self.type("ignore"), "ignored: ann-2, Bob; /unignore NAME hears one again")
        self.assertEqual(self.type("unignore BOB"), "you hear BOB again")
        self.assertFalse(self.conversation.hides("bob"))
        self.assertEqual(self.type("unignore BOB"), "BOB is not ignored")

    def test_who_cannot_be_ignored(self) -> None:
        self.assertEqual(self.type("ignore ANN"), "that is you")
        said = "a b is nobody's name: a name has letters, digits and _ - . only: /ignore NAME"
        self.assertEqual(self.type("ignore a b"), said)
        self.assertEqual(self.type("unignore")[:27], "that is nobody's name: a na")
        self.assertEqual(self.conversation.ignored, {})


class Meant(TestCase):
    def test_nearest(self) -> None:
        commands = Commands()
        for name in ("join", "leave", "who"):
            commands.add(name, print, "")
        self.assertEqual(
            [commands.nearest(name) for name in ("jion", "WHO", "leav", "xyzzy")], ["join", "who", "leave", None]
        )


class Counted(Typed):
    def test_how_many_are_there_as_far_as_nobody_told(self) -> None:
        for name in ("dev", "mine"):
            self.conversation.room(name)
        self.conversation.come_and_go("dev", [], [], 9)
        self.places.count()
        self.answer({"lobby": RoomInfo(1, 0, 3), "dev": RoomInfo(1, 0, 8)})
        self.assertEqual([room.users for room in self.conversation.rooms], [3, 9, None])
        self.places.count()
        self.assertEqual(self.answer(AskRefused("storage_down", "away")), "")

    def test_talks_in_which_something_was_missed(self) -> None:
        self.conversation.left["@left"] = 5
        self.conversation.left["@news"] = 5
        self.conversation.room("@here")
        self.places.count()
        rooms = {name: RoomInfo(1, 7, 1) for name in ("@new", "@news", "@here", "dev")}
        self.answer(rooms | {"@left": RoomInfo(1, 5, 1), "@quiet": RoomInfo(1, 0, 1), "@pruned": RoomInfo(8, 7, 0)})
        self.assertEqual(self.client.asked[1:], [("join", "@new"), ("join", "@news")])
        self.assertEqual(self.rooms(), ["[lobby]", "@here", "@new", "@news"])
        for room in self.conversation.rooms[2:]:
            self.conversation.opened(room.name, 1, 7)
        self.assertEqual([(it.unread, it.mentions) for it in self.conversation.rooms[2:]], [(7, 7), (2, 2)])

    def test_no_more_of_them_than_there_can_be(self) -> None:
        self.places.count()
        self.answer({f"@{number}": RoomInfo(1, 1, 1) for number in range(5000)})
        self.assertEqual(len(self.conversation.rooms), 1 + MAX_ROOMS)


class Completed(Typed):
    """What Tab offers behind a command."""

    def test_rooms_that_one_might_join(self) -> None:
        self.assertEqual(offered(self.talk.commands, "join "), ["lobby"])
        self.answer({"ops": RoomInfo(1, 0, 1), "dev": RoomInfo(1, 0, 1)})
        self.assertEqual(offered(self.talk.commands, "join "), ["lobby", "dev", "ops"])
        self.assertEqual(self.client.asked, [("list_rooms",)])

    def test_people_that_one_might_talk_with(self) -> None:
        self.conversation.add(message(1, sender="Bob"))
        self.conversation.room("bar")
        self.conversation.room("@ben")
        offered(self.talk.commands, "join ")
        self.answer({})
        self.assertEqual(offered(self.talk.commands, "join @B"), ["@ben", "@Bob"])
        self.assertEqual(offered(self.talk.commands, "join #b"), ["#bar"])

    def test_they_are_asked_for_again_where_no_answer_came(self) -> None:
        offered(self.talk.commands, "join ")
        self.assertEqual(self.answer(ConnectionLost()), "")
        offered(self.talk.commands, "join ")
        self.assertEqual(len(self.client.asked), 2)

    def test_rooms_to_leave_and_people_to_hear(self) -> None:
        self.conversation.room("dev")
        self.conversation.ignore("Bob")
        self.assertEqual(
            (offered(self.talk.commands, "leave "), offered(self.talk.commands, "unignore b")),
            (["lobby", "dev"], ["Bob"]),
        )
