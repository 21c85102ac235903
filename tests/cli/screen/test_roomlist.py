"""The column of rooms, as it is drawn."""

from __future__ import annotations

from unittest import TestCase

from urwid import calc_width

from cli.screen.conversation import Conversation
from cli.screen.highlights import Highlights
from cli.screen.roomlist import LEAST, WIDE, WIDTH, RoomList
from tests.cli.screen.made import message


class Column(TestCase):
    def setUp(self) -> None:
        self.conversation = Conversation(
            "ann", ["lobby", "dev", "谢" * 32, "x" * 32, "\x1b[2J\nevil"], Highlights(["ann"])
        )
        self.list = RoomList(self.conversation)

    def drawn(self, rows: int = 6) -> list[str]:
        self.list.refresh(rows)
        return [line.decode() for line in self.list.render((WIDTH, rows)).text]

    def test_rows(self) -> None:
        for id in range(1, 1001):
            for room in ("dev", "谢" * 32, "x" * 32):
                self.conversation.add(message(id, "ann!" if id > 998 else "hi", room=room))
        self.assertEqual(
            self.drawn(),
            [
                " 1 lobby             │",
                " 2 dev        2! 1000│",
                " 3 谢谢谢谢…  2! 1000│",
                " 4 xxxxxxxxx… 2! 1000│",
                " 5 ␛[2J␊evil         │",
                "                     │",
            ],
        )

    def test_each_row_has_its_width(self) -> None:
        for count in range(30):
            self.conversation.add(message(count + 1, room="谢" * 32))
            self.assertEqual({calc_width(row, 0, len(row)) for row in self.drawn()}, {WIDTH})

    def test_the_one_that_is_shown_is_seen(self) -> None:
        for number, seen in ((1, "1 2"), (4, "3 4"), (3, "3 4"), (2, "2 3"), (5, "4 5")):
            self.conversation.select(number)
            self.assertEqual(" ".join(row[1] for row in self.drawn(2)), seen)
        self.conversation.close(self.conversation.rooms[4])
        self.assertEqual(" ".join(row[1] for row in self.drawn(2)), "3 4")

    def test_click(self) -> None:
        self.conversation.select(5)
        self.drawn(3)
        for event, button, row, shown in (
            ("mouse press", 1, 1, 4),
            ("mouse press", 3, 0, 4),
            ("mouse release", 1, 0, 4),
            ("mouse press", 1, 3, 4),
            ("mouse press", 1, 0, 3),
        ):
            self.list.mouse_event((WIDTH, 3), event, button, 5, row, False)
            self.assertIs(self.conversation.current, self.conversation.rooms[shown - 1])

    def test_wanted(self) -> None:
        for columns, choice, wanted in (
            (WIDE, "auto", True),
            (WIDE - 1, "auto", False),
            (LEAST, "on", True),
            (LEAST - 1, "on", False),
            (300, "off", False),
        ):
            self.assertEqual(self.list.wanted(columns, choice), wanted)
        self.assertFalse(RoomList(Conversation("ann", ["lobby"], Highlights([]))).wanted(300, "auto"))
