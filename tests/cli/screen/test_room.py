"""A room without a terminal."""

from __future__ import annotations

from unittest import TestCase

from cli.screen.lines import Kind
from cli.screen.room import LINE, SCROLLBACK, SPEAKERS, Room
from tests.cli.screen.made import NOON, message, texts


class Rooms(TestCase):
    def setUp(self) -> None:
        self.room = Room("lobby")

    def test_own_message_is_dim_until_it_has_come_back(self) -> None:
        unsent = self.room.type("mine", NOON, "ann")
        self.room.add(message(1, "theirs"))
        self.assertEqual(texts(self.room), ["theirs", "mine"])
        self.room.sent(unsent, 2)
        self.assertEqual(self.room[self.room.end - 1].kind, Kind.UNSENT)
        self.room.add(message(2, "mine", "ann"))
        self.assertEqual(texts(self.room), ["theirs", "mine"])
        self.assertEqual(self.room[self.room.end - 1].kind, Kind.TALK)

    def test_own_message_that_came_before_it_was_acknowledged(self) -> None:
        unsent = self.room.type("mine", NOON, "ann")
        self.room.add(message(1, "mine", "ann"))
        self.room.sent(unsent, 1)
        self.assertEqual(texts(self.room), ["mine"])

    def test_acknowledged_without_an_id(self) -> None:
        self.room.sent(self.room.type("mine", NOON, "ann"), None)
        self.assertEqual(texts(self.room), [])

    def test_refused_stays_with_its_reason(self) -> None:
        first = self.room.type("one", NOON, "ann")
        self.room.type("two", NOON, "ann")
        self.room.refused(first, "too long")
        self.assertEqual(texts(self.room), ["one (too long)", "two"])
        self.assertEqual(self.room[0].kind, Kind.REFUSED)

    def test_who_looks_back_stays_where_he_is(self) -> None:
        for id in range(1, 11):
            self.room.add(message(id, str(id)))
        self.assertEqual(self.room[self.room.position].text, "10")
        self.room.look_at(3)
        self.room.add(message(11, "11"))
        self.assertEqual(self.room[self.room.position].text, "4")
        self.room.follow()
        self.assertEqual(self.room[self.room.position].text, "11")

    def test_who_types_sees_it(self) -> None:
        self.room.add(message(1))
        self.room.look_at(0)
        self.room.type("mine", NOON, "ann")
        self.assertEqual(self.room[self.room.position].text, "mine")

    def test_old_lines_are_forgotten_and_the_others_keep_their_positions(self) -> None:
        text = "x" * 2000
        count = SCROLLBACK // 2000
        for id in range(1, count + 1):
            self.room.add(message(id, f"{id} {text}"))
        self.assertGreater(self.room.first, 0)
        self.assertTrue(self.room[count - 1].text.startswith(f"{count} "))
        self.assertTrue(self.room[self.room.first].text.startswith(f"{self.room.first + 1} "))
        self.assertRaises(IndexError, self.room.__getitem__, self.room.first - 1)
        self.room.look_at(0)
        self.assertEqual(self.room.position, self.room.first)
        kept = sum(len(line) + LINE for line in texts(self.room))
        self.assertLessEqual(kept, SCROLLBACK)

    def test_no_line_beyond_the_ends(self) -> None:
        self.assertRaises(IndexError, self.room.__getitem__, 0)
        self.room.add(message(1))
        self.assertRaises(IndexError, self.room.__getitem__, -1)
        self.assertRaises(IndexError, self.room.__getitem__, 1)

    def test_who_spoke_last_is_first(self) -> None:
        for id, sender in enumerate(["bob", "zoe", "bob"], 1):
            self.room.add(message(id, sender=sender))
        self.assertEqual(self.room.speakers(), ["bob", "zoe"])
        for id in range(4, 4 + SPEAKERS):
            self.room.add(message(id, sender=f"p{id}"))
        self.assertEqual(len(self.room.speakers()), SPEAKERS)
        self.assertNotIn("zoe", self.room.speakers())

    def test_who_is_there_is_known_once_it_was_asked(self) -> None:
        self.room.come_and_go(["bob"], [])
        self.assertIsNone(self.room.people)
        self.room.people = {"ann", "bob"}
        self.room.come_and_go(["zoe"], ["bob"])
        self.assertEqual(self.room.people, {"ann", "zoe"})
        self.room.come_and_go([], [])  # in a large room nobody says who
        self.assertIsNone(self.room.people)
        self.room.people = {"ann"}
        self.room.open(1, 5)  # anew, after a lost connection
        self.assertIsNone(self.room.people)
