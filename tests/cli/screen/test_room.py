"""A room without a terminal."""

from __future__ import annotations

from datetime import datetime
from unittest import TestCase
from unittest.mock import patch

from msgspec.structs import replace

from cli.inbox import Message
from cli.screen import room as rooms
from cli.screen.history import PAGE, Span
from cli.screen.lines import Kind
from cli.screen.room import Room
from cli.screen.rows import UNSENT
from cli.screen.scrollback import Bound
from cli.settings import Settings
from tests.cli.screen.made import NOON, downward, message, shown, texts


class Unacknowledged(TestCase):
    def setUp(self) -> None:
        self.room = Room("lobby")

    def last(self) -> Kind:
        return downward(self.room)[-1][1].kind

    def test_own_message_is_dim_until_it_has_come_back(self) -> None:
        unsent = self.room.type("mine", NOON, "ann")
        self.room.add(message(1, "theirs"))
        self.assertEqual(texts(self.room), ["theirs", "mine"])
        self.room.sent(unsent, 2)
        self.assertEqual(self.last(), Kind.UNSENT)
        self.room.add(message(2, "mine", "ann"))
        self.assertEqual(texts(self.room), ["theirs", "mine"])
        self.assertEqual(self.last(), Kind.TALK)

    def test_own_message_that_came_before_it_was_acknowledged(self) -> None:
        unsent = self.room.type("mine", NOON, "ann")
        self.room.add(message(1, "mine", "ann"))
        self.room.sent(unsent, 1)
        self.assertEqual(texts(self.room), ["mine"])

    def test_an_upload_that_came_before_it_is_known_to_be_stored(self) -> None:
        for _ in range(2):
            unsent = self.room.attach("a.bin", 300_000, NOON, "ann")
        self.room.type("mine", NOON, "ann")
        stored = message(1, "", "ann", size=300_000, name="a.bin")
        self.room.add(replace(stored, sender="bob"))
        self.assertEqual(len(texts(self.room)), 4)
        self.room.add(replace(stored, id=2))
        self.assertEqual(texts(self.room)[1:], ["file a.bin, 300 kB: /save 2", "file a.bin, 300 kB", "mine"])
        self.room.add(replace(stored, id=3))
        self.assertEqual(texts(self.room)[2:], ["file a.bin, 300 kB: /save 3", "mine"])
        self.room.sent(unsent, 3)

    def test_a_long_text_that_came_before_it_is_known_to_be_stored(self) -> None:
        text = "\u4e00" * 20_000
        self.room.type(text, NOON, "ann")
        self.room.add(message(1, text[:1300], "ann", size=60_000))
        self.assertNotIn(Kind.UNSENT, [line.kind for _, line in downward(self.room)])

    def test_acknowledged_without_an_id(self) -> None:
        self.room.sent(self.room.type("mine", NOON, "ann"), None)
        self.assertEqual(texts(self.room), [])

    def test_refused_stays_in_its_place_with_its_reason(self) -> None:
        first = self.room.type("one", NOON, "ann")
        self.room.type("two", NOON, "ann")
        self.room.refused(first, "too long")
        self.assertEqual(texts(self.room), ["one (too long)", "two"])
        self.room.add(message(1, "three"))
        self.assertEqual(texts(self.room), ["one (too long)", "three", "two"])
        self.assertEqual(downward(self.room)[0][1].kind, Kind.REFUSED)

    def test_who_types_sees_it(self) -> None:
        self.room.add(message(1))
        self.room.look_at((1, 0))
        self.room.type("mine", NOON, "ann")
        self.assertTrue(self.room.follows)
        self.assertEqual(self.room.rows.end, (UNSENT, 0))


class Positions(TestCase):
    def setUp(self) -> None:
        self.room = Room("lobby")
        self.room.open(1, 1000)
        self.room.add(message(1001, "last"))

    def test_a_row_stands_for_a_gap(self) -> None:
        self.assertEqual(texts(self.room), ["lobby begins here", "… 1000 messages: loading", "last"])
        self.room.load(Span(501, 501), [message(501, "middle")])
        self.assertEqual(
            texts(self.room),
            ["lobby begins here", "… 500 messages: loading", "middle", "… 499 messages: loading", "last"],
        )
        self.room.load(Span(1000, 1000), [message(1000, "before")])
        self.assertEqual(texts(self.room)[-3:], ["… 498 messages: loading", "before", "last"])

    def test_a_position_stays_what_it_is(self) -> None:
        self.room.show([notice := shown("notice")])
        at = next(at for at, line in downward(self.room) if line is notice)
        self.room.load(Span(901, 1000), [message(id) for id in range(901, 1001)])
        self.room.add(message(1002))
        self.room.come_and_go(["bob"], [])
        self.assertEqual((at, self.room.rows[at]), ((1001, 1), notice))

    def test_a_position_that_is_no_more(self) -> None:
        rows = self.room.rows
        for position, near in (
            ((500, 7), (1000, 0)),
            ((0, 0), (0, 0)),
            ((-5, 3), (0, 0)),
            ((1001, 5), (1001, 0)),
            ((1002, 0), (1001, 0)),
            ((UNSENT, 3), (1001, 0)),
        ):
            self.assertEqual(rows.nearest(position), near, position)
        for position in ((1001, 1), (1000, 1), (1001, -2), (UNSENT, 0)):
            self.assertRaises(IndexError, rows.__getitem__, position)

    def test_no_row(self) -> None:
        self.assertIsNone(Room("empty").rows.end)
        self.assertIsNone(Room("empty").rows.nearest((3, 0)))

    def test_said_before_the_room_was_opened(self) -> None:
        room = Room("lobby")
        room.show([shown("no server is there")])
        room.open(1, 7)
        self.assertEqual(texts(room), ["lobby begins here", "… 7 messages: loading", "no server is there"])


class Fetching(TestCase):
    def setUp(self) -> None:
        self.room = Room("lobby")
        self.room.enter()
        self.room.open(1, 1000)

    def answer(self, wanted: Span | None) -> None:
        assert wanted is not None
        self.room.load(wanted, [message(id) for id in range(wanted.first, wanted.last + 1)])

    def test_what_is_looked_at_and_a_page_ahead(self) -> None:
        self.assertEqual(self.room.wanted(), Span(901, 1000))
        self.answer(self.room.wanted())
        self.room.see(960, 1000)
        self.assertEqual(self.room.wanted(), Span(801, 900))
        self.answer(self.room.wanted())
        self.assertIsNone(self.room.wanted())
        self.room.look_at((902, 0))
        self.room.see(899, 939)
        self.assertEqual(self.room.wanted(), Span(701, 800))

    def test_around_where_one_jumped_to(self) -> None:
        self.answer(self.room.wanted())
        self.room.look_at((300, 0))
        self.room.see(300, 300)
        wanted = self.room.wanted()
        assert wanted is not None
        self.assertTrue(wanted.first <= 270 and wanted.last >= 330 and wanted.last - wanted.first < PAGE)
        self.answer(wanted)
        self.room.see(280, 340)
        wanted = self.room.wanted()
        assert wanted is not None
        self.assertEqual(wanted.first, 351)  # the nearer gap first, without a hole

    def test_nothing_of_what_is_not_kept(self) -> None:
        self.room.open(990, 1000)
        self.assertEqual(self.room.wanted(), Span(990, 1000))
        self.answer(self.room.wanted())
        self.assertIsNone(self.room.wanted())
        self.assertEqual(texts(self.room)[0], "what was before is not kept")

    def test_an_answer_with_less_says_that_there_are_no_older_ones(self) -> None:
        self.room.load(Span(901, 1000), [message(id) for id in range(951, 1001)])
        self.assertIsNone(self.room.wanted())
        self.room.load(Span(901, 1000), [])
        self.assertEqual((self.room.wanted(), texts(self.room)), (None, ["what was before is not kept"]))
        self.room.open(1, 1000)  # it was wrong
        self.assertEqual(self.room.wanted(), Span(901, 1000))

    def test_an_answer_with_what_was_not_asked_for(self) -> None:
        self.room.load(Span(901, 1000), [message(5), message(2000), *(message(id) for id in range(901, 1001))])
        self.assertEqual((self.room.last_id, self.room.history.get(5)), (1000, None))

    def test_not_before_it_is_opened_nor_where_nothing_is(self) -> None:
        self.assertIsNone(Room("other").wanted())
        room = Room("other")
        room.open(1, 0)
        self.assertIsNone(room.wanted())

    def test_one_that_is_not_shown_fetches_its_end(self) -> None:
        room = Room("other")
        room.open(1, 1000)
        self.assertEqual(room.wanted(), Span(901, 1000))
        room.load(Span(901, 1000), [message(id) for id in range(901, 1001)])
        self.assertIsNone(room.wanted())

    def test_far_ones_are_let_go_and_fetched_again(self) -> None:
        with patch.object(rooms, "SHOWN", Bound(300, 10**6)):
            for first in range(901, 0, -100):
                self.room.look_at((first + 50, 0))
                self.room.see(first + 40, first + 60)
                self.answer(Span(first, first + 99))
            self.assertIsNone(self.room.history.get(1000))
            self.assertEqual([self.room.history.get(id) is None for id in (1, 140, 161, 300)], [False] * 4)
            self.room.follow()
            self.assertEqual(self.room.wanted(), Span(901, 1000))

    def test_long_texts_are_let_go_sooner(self) -> None:
        self.room.see(999, 1000)
        for id in range(1001, 1301):
            self.room.add(message(id, "x" * 60_000))
        self.assertIsNone(self.room.history.get(1050))
        self.assertIsNotNone(self.room.history.get(1201))

    def test_little_is_kept_of_a_room_that_is_left(self) -> None:
        for id in range(1001, 3001):
            self.room.add(message(id))
        self.assertIsNotNone(self.room.history.get(1001))
        self.room.leave()
        self.assertIsNone(self.room.history.get(2000))
        self.assertIsNotNone(self.room.history.get(3000))


class Reopened(TestCase):
    def setUp(self) -> None:
        self.room = Room("lobby")
        self.room.open(1, 3)
        for id in (4, 5):
            self.room.add(message(id))
        self.room.load(Span(1, 3), [message(id) for id in (1, 2, 3)])

    def test_it_goes_on(self) -> None:
        self.room.open(1, 9)  # 6 to 9 are on their way
        self.assertEqual(self.room.last_id, 5)
        self.room.add(message(6, "six"))
        self.assertEqual(texts(self.room)[-1], "six")
        self.assertNotIn(Kind.ABSENT, [line.kind for _, line in downward(self.room)])

    def test_what_is_pruned_is_gone(self) -> None:
        self.room.show([shown("a notice")])
        self.room.open(5, 9)
        self.assertEqual(texts(self.room), ["what was before is not kept", "hi", "a notice"])
        self.room.open(21, 30)
        self.assertEqual(texts(self.room), ["what was before is not kept", "a notice"])
        self.room.add(message(21, "news"))
        self.assertEqual(texts(self.room)[2:], ["news"])

    def test_a_server_that_was_restored_from_a_copy(self) -> None:
        self.room.open(1, 2)
        self.assertEqual((self.room.last_id, self.room.unread), (2, 0))
        self.assertEqual(texts(self.room), ["lobby begins here", "… 2 messages: loading"])
        self.room.add(message(3, "another third"))
        self.assertEqual(texts(self.room)[2:], ["another third"])


class Read(TestCase):
    def setUp(self) -> None:
        self.room = Room("lobby", lambda message: "ann" in message.text)

    def bars(self) -> list[int]:
        return [at[0] for at, line in self.room.rows.newer((-1, -UNSENT)) if line.kind is Kind.BAR]

    def test_counted_while_nobody_looks(self) -> None:
        self.room.open(1, 5)
        self.assertEqual(self.room.unread, 0)
        for id, text in ((6, "hello"), (7, "hello ann"), (8, "ann?")):
            self.room.add(message(id, text))
        self.assertEqual((self.room.unread, self.room.mentions, self.room.read_id), (3, 2, 5))
        self.room.enter()
        self.assertEqual((self.room.unread, self.room.mentions, self.room.read_id), (0, 0, 8))
        self.room.add(message(9, "ann"))
        self.assertEqual((self.room.unread, self.room.mentions, self.room.read_id), (0, 0, 9))

    def test_counted_while_one_looks_back(self) -> None:
        self.room.open(1, 5)
        self.room.enter()
        self.room.look_at((3, 0))
        self.room.add(message(6, "ann"))
        self.assertEqual((self.room.unread, self.room.mentions), (1, 1))
        self.room.follow()
        self.assertEqual((self.room.unread, self.room.mentions), (0, 0))

    def test_the_bar_stands_until_the_room_is_left(self) -> None:
        self.room.open(1, 5)
        self.room.add(message(6))
        self.room.add(message(7))
        self.room.enter()
        self.room.add(message(8))
        self.assertEqual((self.bars(), self.room.bar), ([6], (6, 0)))
        self.room.leave()
        self.room.enter()
        self.room.add(message(9))
        self.assertEqual((self.bars(), self.room.bar), ([], None))
        self.room.leave()
        self.room.add(message(10))
        self.room.enter()
        self.assertEqual(self.bars(), [10])

    def test_since_the_last_run(self) -> None:
        for first_id, unread, bar in ((1, 900, (101, 0)), (501, 500, (501, 0))):
            room = Room("lobby")
            room.read_id = 100
            room.open(first_id, 1000)
            self.assertEqual(room.unread, unread)
            room.enter()
            self.assertEqual((room.unread, room.read_id, room.bar), (0, 1000, bar))

    def test_since_the_last_run_in_the_room_that_is_shown(self) -> None:
        self.room.read_id = 2
        self.room.enter()
        self.room.open(1, 5)
        self.assertEqual((self.room.unread, self.room.bar), (0, (3, 0)))
        self.room.load(Span(1, 5), [message(id) for id in range(1, 6)])
        self.assertEqual(self.bars(), [3])

    def test_read_beyond_what_a_restored_server_has(self) -> None:
        self.room.read_id = 100
        self.room.open(1, 10)
        self.room.add(message(11))
        self.assertEqual((self.room.unread, self.room.read_id), (1, 10))

    def test_mentions_of_the_history_count_where_they_are_unread(self) -> None:
        self.room.read_id = 3
        self.room.open(1, 5)
        for _ in range(2):
            self.room.load(Span(1, 5), [message(id, "ann") for id in range(1, 6)])
        self.assertEqual(self.room.mentions, 2)

    def test_what_is_pruned_counts_no_more(self) -> None:
        room = Room("lobby", lambda said: "ann" in said.text, "bob".__eq__, lambda said: said.sender != "bob")
        room.open(1, 0)
        for id in range(1, 11):
            room.add(message(id, "ann", sender="bob" if id % 2 else "carl"))
        self.assertEqual((room.unread, room.mentions), (5, 5))
        room.open(7, 10)
        self.assertEqual((room.unread, room.mentions), (2, 2))
        room.load(Span(7, 9), [message(9, sender="bob")])  # there are no older ones
        self.assertEqual((room.unread, room.mentions), (1, 1))

    def test_from_mention_to_mention(self) -> None:
        self.room.open(1, 0)
        for id in range(1, 21):
            self.room.add(message(id, "ann" if id in (5, 9) else "hi"))
        self.assertEqual([self.room.mention(id, -1) for id in (21, 10, 9, 5, 1)], [9, 9, 5, None, None])
        self.assertEqual([self.room.mention(id, 1) for id in (0, 4, 5, 9, 20)], [5, 5, 9, None, None])


class BetweenMessages(TestCase):
    def setUp(self) -> None:
        self.settings = Settings()
        self.room = Room("lobby", settings=self.settings)
        self.room.open(1, 0)
        self.room.add(message(1, sender="bob"))
        self.room.add(message(2, sender="carol"))

    def told(self) -> list[str]:
        return [line.text for _, line in downward(self.room) if line.kind is Kind.PRESENCE]

    def test_who_comes_and_goes_is_told_in_one_row(self) -> None:
        self.room.come_and_go(["bob"], ["carol"])
        self.assertEqual(self.told(), ["+bob −carol"])
        self.room.come_and_go(["carol"], [])
        self.assertEqual(self.told(), ["+bob"])
        self.room.come_and_go([], ["bob"])
        self.assertEqual(self.told(), [])
        self.room.add(message(3))
        self.room.come_and_go(["bob"], [])
        self.room.add(message(4, "later"))
        self.assertEqual(texts(self.room)[-2:], ["+bob", "later"])

    def test_who_says_nothing_is_hidden_until_he_does(self) -> None:
        self.room.come_and_go(["dan", "bob"], [])
        self.assertEqual(self.told(), ["+bob"])
        self.room.add(message(3, sender="dan"))
        self.assertEqual(self.told(), ["+dan +bob"])

    def test_as_one_wishes(self) -> None:
        self.room.come_and_go(["dan", "bob"], [])
        self.settings.presence = "none"
        self.assertEqual(self.told(), [])
        self.settings.presence = "all"
        self.assertEqual(self.told(), ["+dan +bob"])

    def test_many_are_numbers(self) -> None:
        self.settings.presence = "all"
        self.room.come_and_go([f"u{n}" for n in range(30)], ["bob"])
        self.assertEqual(self.told(), ["+30 −1"])

    def test_a_new_day(self) -> None:
        room = Room("lobby")
        room.open(1, 0)
        for id, at in enumerate(("2025-11-24 10:00", "2025-11-24 23:59", "2025-11-25 00:01", "2027-03-01 08:00"), 1):
            room.add(Message("lobby", id, "bob", int(datetime.fromisoformat(at).timestamp() * 1000), "hi"))
        days = [(at, line.text) for at, line in room.rows.newer((-1, -UNSENT)) if line.kind is Kind.DAY]
        self.assertEqual(
            days,
            [
                ((1, -1), "Monday 24 November 2025"),
                ((3, -1), "Tuesday 25 November 2025"),
                ((4, -1), "Monday 1 March 2027"),
            ],
        )

    def test_times_without_a_day(self) -> None:
        room = Room("lobby")
        room.open(1, 0)
        for id, at in enumerate((2**53 - 1, 0, 2**53 - 1), 1):
            room.add(Message("lobby", id, "bob", at, "hi"))
        self.assertEqual([line.kind for _, line in room.rows.newer((0, 0))].count(Kind.DAY), 1)

    def test_bar_and_day_stand_above_without_moving_the_message(self) -> None:
        room = Room("lobby")
        room.open(1, 0)
        room.add(message(1))
        room.enter()
        above = [line.kind for _, line in room.rows.older((1, 0))]
        self.assertEqual(above, [Kind.DAY, Kind.BAR, Kind.BEGINNING])
        self.assertEqual(room.rows[(1, 0)].text, "hi")

    def test_notes_have_a_bound(self) -> None:
        for n in range(3000):
            self.room.show([shown(str(n))])
        self.assertEqual(texts(self.room)[-1000:], [str(n) for n in range(2000, 3000)])
        self.assertEqual(len(texts(self.room)), 1003)


class Speakers(TestCase):
    def test_the_last_one_first(self) -> None:
        room = Room("lobby")
        room.open(1, 10)
        room.add(message(11, sender="bob"))
        room.add(message(12, sender="carol"))
        room.load(Span(9, 10), [message(9, sender="carol"), message(10, sender="dan")])
        self.assertEqual(room.speakers(), ["carol", "bob", "dan"])

    def test_a_crowd(self) -> None:
        room = Room("lobby")
        for id in range(1, 3001):
            room.add(message(id, sender=f"u{id}"))
        self.assertLessEqual(len(room.speakers()), 1000)
        self.assertEqual(room.speakers()[0], "u3000")


class People(TestCase):
    def test_who_is_there_is_known_once_it_was_asked(self) -> None:
        room = Room("lobby")
        room.come_and_go(["bob"], [])
        self.assertTrue(room.present.lacks(found=True))
        room.present.answer(["ann", "bob"])
        room.come_and_go(["zoe"], ["bob"])
        self.assertEqual(room.present.names, {"ann", "zoe"})
        self.assertFalse(room.present.lacks(found=False))
        room.open(1, 5)  # anew, after a lost connection
        self.assertEqual((room.present.names, room.present.lacks(found=True)), (set(), True))

    def test_ignored(self) -> None:
        ignored = {"bob"}
        room = Room("lobby", lambda _: True, ignored.__contains__, lambda said: said.sender != "bob")
        room.open(1, 0)
        for id, sender in enumerate(("zoe", "bob", "zoe", "bob"), 1):
            room.add(message(id, str(id), sender))
        self.assertEqual((texts(room), room.unread, room.mentions), (["lobby begins here", "1", "3"], 2, 2))
        room.come_and_go(["bob", "zoe"], [])
        self.assertEqual(texts(room)[-1], "+zoe")
        ignored.clear()
        self.assertEqual(texts(room)[1:], ["1", "2", "3", "4", "+bob +zoe"])
        room.enter()
        self.assertEqual(room.unread, 0)
