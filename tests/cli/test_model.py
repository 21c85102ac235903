"""The conversation without a terminal."""

from __future__ import annotations

from unittest import TestCase

from cli import model
from cli.inbox import Message
from cli.model import Conversation, Kind, Line, Recall, Room, lines_of
from cli.status import State, Status

NOON = 1_764_000_000.0


def message(id: int, text: str = "hi", sender: str = "bob", room: str = "lobby", **more: object) -> Message:
    return Message(room, id, sender, int(NOON * 1000), text, **more)  # type: ignore[arg-type]


def status(state: State, **more: object) -> Status:
    known = {"behind": 0, "unsent": 0, "since": NOON, "retry_at": None, "reason": "", "lag": None}
    return Status(state, **{**known, **more})  # type: ignore[arg-type]


def texts(room: Room) -> list[str]:
    return [room[position].text for position in range(room.first, room.end)]


class LinesOfMessages(TestCase):
    def test_talk_has_time_and_name(self) -> None:
        self.assertEqual(lines_of(message(1)), [Line(Kind.TALK, "hi", NOON, "bob")])

    def test_deed(self) -> None:
        [line] = lines_of(message(1, "/me waves"))
        self.assertEqual((line.kind, line.name, line.text), (Kind.ACTION, "*", "bob waves"))

    def test_deleted_shows_no_content(self) -> None:
        [line] = lines_of(message(1, "secret", deleted=True))
        self.assertNotIn("secret", line.text)

    def test_file_is_its_name_and_size(self) -> None:
        [line] = lines_of(message(1, "", name="a.png", size=3_210_000))
        self.assertEqual(line.text, "file a.png, 3.21 MB: /save 1")

    def test_large_text_says_that_it_is_a_beginning(self) -> None:
        *_, last = lines_of(message(1, "beginning", size=20_000_000_000))
        self.assertEqual(last.text, "… 20 GB in all: /save 1")

    def test_long_text_comes_in_parts_and_whole(self) -> None:
        text = "".join(f"word{n} " for n in range(2000))
        lines = lines_of(message(1, text))
        self.assertEqual("".join(line.text for line in lines), text)
        self.assertTrue(all(0 < len(line.text) <= model.PART for line in lines))
        self.assertEqual([line.clock == "" for line in lines], [False] + [True] * (len(lines) - 1))
        self.assertTrue(all(line.text.startswith("word") for line in lines))

    def test_part_ends_where_a_line_ends(self) -> None:
        first, second = lines_of(message(1, "a" * 1500 + "\n" + "b" * 1500))
        self.assertEqual((first.text, second.text), ("a" * 1500, "b" * 1500))

    def test_text_without_a_break_is_cut(self) -> None:
        self.assertEqual([len(line.text) for line in lines_of(message(1, "x" * 5000))], [2048, 2048, 904])

    def test_any_time_a_server_claims_is_shown(self) -> None:
        for at in (0, 2**53 - 1):
            [line] = lines_of(Message("lobby", 1, "bob", at, "hi"))
            self.assertEqual(len(line.clock), 5)


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
        count = model.SCROLLBACK // 2000
        for id in range(1, count + 1):
            self.room.add(message(id, f"{id} {text}"))
        self.assertGreater(self.room.first, 0)
        self.assertTrue(self.room[count - 1].text.startswith(f"{count} "))
        self.assertTrue(self.room[self.room.first].text.startswith(f"{self.room.first + 1} "))
        self.assertRaises(IndexError, self.room.__getitem__, self.room.first - 1)
        self.room.look_at(0)
        self.assertEqual(self.room.position, self.room.first)
        kept = sum(len(line) + model.LINE for line in texts(self.room))
        self.assertLessEqual(kept, model.SCROLLBACK)

    def test_no_line_beyond_the_ends(self) -> None:
        self.assertRaises(IndexError, self.room.__getitem__, 0)
        self.room.add(message(1))
        self.assertRaises(IndexError, self.room.__getitem__, -1)
        self.assertRaises(IndexError, self.room.__getitem__, 1)


class Conversations(TestCase):
    def setUp(self) -> None:
        self.conversation = Conversation("ann", ["lobby", "dev"])
        self.conversation.status = status(State.LIVE)

    def line(self) -> str:
        return self.conversation.status_line(NOON)

    def test_what_comes_in_another_room_is_counted(self) -> None:
        self.conversation.add(message(1, room="dev"))
        self.assertEqual(self.line(), "live · [lobby] dev(1) · ann")
        self.conversation.turn(1)
        self.assertEqual(self.line(), "live · lobby [dev] · ann")

    def test_what_comes_below_the_screen_is_counted(self) -> None:
        self.conversation.add(message(1))
        self.conversation.current.look_at(0)
        self.conversation.add(message(2))
        self.conversation.add(message(3))
        self.assertEqual(self.line(), "↓ 2 new · live · [lobby] dev · ann")

    def test_spellings_of_a_room_are_one(self) -> None:
        self.assertIs(self.conversation.room("LOBBY"), self.conversation.current)

    def test_people(self) -> None:
        self.conversation.current.users = 3
        self.assertIn("3 here", self.line())

    def test_states(self) -> None:
        noon = model.clock(NOON)
        for state, shown in [
            (None, "connecting"),
            (status(State.CONNECTING), "connecting"),
            (status(State.LIVE, lag=0.2), "live"),
            (status(State.LIVE, lag=0.7), "live, lag 700 ms"),
            (status(State.BEHIND, behind=12, unsent=3), "behind by 12, unsent 3"),
            (
                status(State.LOST, retry_at=NOON + 3.2, unsent=1, reason="shutting down"),
                f"lost since {noon}, next try in 4 s, unsent 1, shutting down",
            ),
            (status(State.LOST), f"lost since {noon}, trying again"),
            (status(State.CLOSED, reason="kicked"), f"closed since {noon}, kicked"),
        ]:
            with self.subTest(shown):
                self.conversation.status = state
                self.assertEqual(self.line().split(" · ")[0], shown)


class RecalledInputs(TestCase):
    def test_back_and_forth(self) -> None:
        recall = Recall()
        recall.enter("one")
        recall.enter("two")
        self.assertEqual(recall.step(-1, "half"), "two")
        self.assertEqual(recall.step(-1, "two"), "one")
        self.assertEqual(recall.step(-1, "one"), "one")
        self.assertEqual(recall.step(1, "one"), "two")
        self.assertEqual(recall.step(1, "two"), "half")
        self.assertEqual(recall.step(1, "half"), "half")

    def test_a_changed_line_is_not_lost_until_one_is_entered(self) -> None:
        recall = Recall()
        recall.enter("one")
        recall.step(-1, "")
        self.assertEqual(recall.step(1, "one more"), "")
        self.assertEqual(recall.step(-1, ""), "one more")
        recall.enter("two")
        recall.step(-1, "")
        self.assertEqual(recall.step(-1, "two"), "one")

    def test_bound(self) -> None:
        recall = Recall()
        for number in range(model.RECALLED + 5):
            recall.enter(str(number))
        text = ""
        for _ in range(model.RECALLED + 5):
            text = recall.step(-1, text)
        self.assertEqual(text, "5")
