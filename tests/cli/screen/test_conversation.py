"""The conversation without a terminal."""

from __future__ import annotations

from unittest import TestCase

from cli.screen.conversation import Conversation
from cli.screen.highlights import Highlights
from cli.screen.room import Room
from tests.cli.screen.made import NOON, downward, message, texts


class Rooms(TestCase):
    def setUp(self) -> None:
        self.conversation = Conversation("ann", ["lobby", "dev", "ops", "tea"], Highlights(["ann"]))

    def hear(self, room: str, *said: str, sender: str = "bob") -> None:
        place = self.conversation.room(room)
        for text in said:
            self.conversation.add(message(place.last_id + 1, text, sender, room))

    def counts(self, name: str) -> tuple[int, int]:
        room = self.room(name)
        return room.unread, room.mentions

    def room(self, name: str) -> Room:
        room = self.conversation.find(name)
        assert room is not None
        return room

    @property
    def shown(self) -> str:
        return self.conversation.current.name

    def test_what_comes_in_another_room_is_counted(self) -> None:
        self.hear("dev", "hi", "hi ann", "annex")
        self.assertEqual((self.counts("dev"), self.counts("lobby")), ((3, 1), (0, 0)))
        self.conversation.turn(1)
        self.assertEqual((self.shown, self.counts("dev")), ("dev", (0, 0)))

    def test_what_comes_in_a_talk_of_two_is_for_one(self) -> None:
        self.conversation.opened("@bob", 1, 3)
        self.conversation.add(message(4, "hi", "bob", "@bob"))
        self.conversation.add(message(5, "hello", "ann", "@bob"))
        self.assertEqual((self.shown, self.counts("@bob")), ("lobby", (1, 1)))
        self.conversation.next_unread()
        self.assertEqual((self.shown, self.counts("@bob")), ("@bob", (0, 0)))

    def test_a_talk_that_was_left_goes_on_there(self) -> None:
        self.conversation.opened("@bob", 1, 3)
        self.conversation.close(self.room("@bob"))
        self.assertEqual(self.conversation.left, {"@bob": 3})
        self.conversation.opened("@Bob", 1, 5)
        self.assertEqual((self.counts("@bob"), self.conversation.left), ((2, 2), {}))

    def test_what_comes_below_the_screen_is_counted(self) -> None:
        self.hear("lobby", "one")
        self.conversation.current.look_at((1, 0))
        self.hear("lobby", "two", "ann?")
        self.assertEqual(self.counts("lobby"), (2, 1))
        self.conversation.current.follow()
        self.assertEqual(self.counts("lobby"), (0, 0))

    def test_what_one_says_oneself_is_not_unread(self) -> None:
        self.room("dev").read_id = 0
        self.hear("dev", "i am ann", sender="Ann")
        self.assertEqual(self.counts("dev"), (0, 0))
        self.hear("dev", "and me again", sender="ann")
        self.hear("dev", "hi")
        self.hear("dev", "and i go on", sender="ann")
        self.assertEqual(self.counts("dev"), (1, 0))
        self.conversation.turn(1)
        self.assertEqual(self.room("dev").bar, (3, 0))

    def test_spellings_of_a_room_are_one(self) -> None:
        self.assertIs(self.conversation.room("LOBBY"), self.conversation.current)
        self.conversation.opened("Lobby", 1, 0)
        self.assertEqual(self.shown, "Lobby")
        self.hear("lobby", "hi")
        self.assertEqual(len(self.conversation.rooms), 4)

    def test_what_was_said_before_one_came_is_read(self) -> None:
        self.conversation.opened("dev", 1, 1)
        self.conversation.add(message(1, "ann, before", room="dev"))
        self.assertEqual(self.counts("dev"), (0, 0))
        self.hear("dev", "after")
        self.assertEqual(self.counts("dev"), (1, 0))

    def test_what_was_said_since_last_time_is_not(self) -> None:
        self.room("dev").read_id = 7
        self.conversation.opened("dev", 1, 1000)
        self.assertEqual(self.counts("dev"), (993, 0))
        self.conversation.add(message(999, "ann!", room="dev"))  # the newest of them are given
        self.conversation.add(message(1000, "ann?", room="dev"))
        self.assertEqual(self.counts("dev"), (993, 2))
        self.conversation.turn(1)
        self.assertEqual((self.counts("dev"), self.room("dev").read_id), ((0, 0), 1000))

    def test_a_server_restored_from_a_copy(self) -> None:
        self.room("dev").read_id = 70
        self.conversation.opened("dev", 1, 50)
        self.assertEqual((self.counts("dev"), self.room("dev").read_id), ((0, 0), 50))

    def test_numbers(self) -> None:
        self.conversation.select(3)
        self.assertEqual(self.shown, "ops")
        for number in (0, 5, 10):
            self.conversation.select(number)
            self.assertEqual(self.shown, "ops")

    def test_next_unread_goes_to_mentions_first_and_back(self) -> None:
        self.conversation.select(2)
        self.hear("ops", "one")
        self.hear("tea", "two")
        self.hear("lobby", "three, ann")
        for expected in ("lobby", "ops", "tea", "dev", "dev"):
            self.conversation.next_unread()
            self.assertEqual(self.shown, expected)

    def test_who_chooses_a_room_stays_there(self) -> None:
        self.hear("ops", "one")
        self.conversation.next_unread()
        self.conversation.select(4)
        self.conversation.next_unread()
        self.assertEqual(self.shown, "tea")

    def test_close(self) -> None:
        self.hear("tea", "one")
        self.conversation.next_unread()
        self.conversation.close(self.room("lobby"))
        self.conversation.next_unread()  # there is nothing to go back to
        self.assertEqual(self.shown, "tea")
        self.conversation.close(self.room("tea"))
        self.assertEqual(self.shown, "ops")
        self.conversation.close(self.room("dev"))
        self.conversation.close(self.room("ops"))
        self.assertEqual([room.name for room in self.conversation.rooms], ["ops"])

    def test_what_comes_from_a_room_that_was_left_is_nothing(self) -> None:
        self.conversation.close(self.room("tea"))
        self.conversation.add(message(1, "ann", room="tea"))
        self.assertIsNone(self.conversation.find("tea"))

    def test_ignored(self) -> None:
        self.conversation.ignore("Bob")
        self.hear("dev", "ann!", "ann?")
        self.hear("lobby", "hidden")
        self.hear("dev", "ann.", sender="carl")
        self.assertEqual(self.counts("dev"), (1, 1))
        self.assertEqual(texts(self.conversation.current), [])
        self.assertTrue(self.conversation.unignore("bob"))
        self.assertFalse(self.conversation.unignore("bob"))
        self.hear("dev", "back")
        self.assertEqual(self.counts("dev"), (4, 3))
        self.conversation.turn(1)
        self.assertEqual(
            (texts(self.conversation.current), self.counts("dev")), (["ann!", "ann?", "ann.", "back"], (0, 0))
        )

    def test_no_bar_above_what_is_ignored(self) -> None:
        self.conversation.ignore("Bob")
        self.hear("dev", "seen before", sender="carl")
        self.room("dev").read_id = 1
        self.hear("dev", "one", "two")
        self.conversation.turn(1)
        self.assertIsNone(self.room("dev").bar)

    def test_who_is_ignored_is_counted_no_more(self) -> None:
        self.hear("dev", "ann!", "hi")
        self.hear("dev", "hello", sender="carl")
        self.conversation.ignore("Bob")
        self.assertEqual(self.counts("dev"), (1, 0))
        self.conversation.unignore("bob")
        self.assertEqual(self.counts("dev"), (3, 1))

    def test_who_is_ignored_and_says_very_much(self) -> None:
        self.conversation.ignore("Bob")
        self.hear("dev", *["hi"] * 2000)
        self.hear("dev", "hello", sender="carl")
        self.assertEqual(self.counts("dev"), (1, 0))

    def test_notice_of_several_lines(self) -> None:
        self.conversation.notice("2 rooms\nlobby\ndev", NOON)
        room = self.conversation.current
        self.assertEqual(
            [(line.text, line.name) for _, line in downward(room)],
            [("2 rooms", "-"), ("lobby", ""), ("dev", "")],
        )
