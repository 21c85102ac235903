"""Messages as lines."""

from __future__ import annotations

from unittest import TestCase

from cli.inbox import Message
from cli.screen.lines import PART, Kind, Line, is_long, lines_of, typed
from tests.cli.screen.made import NOON, message


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
        self.assertEqual(last.text, "… 20 GB in all: Alt-O or /open 1 reads it, /save 1")

    def test_long_text_comes_in_parts_and_whole(self) -> None:
        text = "".join(f"word{n} " for n in range(500))
        lines = lines_of(message(1, text))
        self.assertEqual("".join(line.text for line in lines), text)
        self.assertTrue(all(0 < len(line.text) <= PART for line in lines))
        self.assertEqual([line.clock == "" for line in lines], [False] + [True] * (len(lines) - 1))
        self.assertTrue(all(line.text.startswith("word") for line in lines))

    def test_part_ends_where_a_line_ends(self) -> None:
        first, second = lines_of(message(1, "a" * 1500 + "\n" + "b" * 1500))
        self.assertEqual((first.text, second.text), ("a" * 1500, "b" * 1500))

    def test_text_without_a_break_is_cut(self) -> None:
        self.assertEqual([len(line.text) for line in lines_of(message(1, "x" * 4000))], [2048, 1952])

    def test_no_more_than_a_beginning_is_shown(self) -> None:
        last = "… 10 kB in all: Alt-O or /open 1 reads it, /save 1"
        for text, shown in (("x" * 10_000, 4096), ("a\n" * 5000, 99)):
            *lines, more = lines_of(message(1, text))
            self.assertEqual((sum(len(line.text) for line in lines), more.text), (shown, last))
            *lines, more = typed(text, NOON, "ann")
            self.assertEqual((sum(len(line.text) for line in lines), more.text), (shown, last[:14]))
        for text in ("one\n" * 50, "x" * 4096, "\n" * 49):
            self.assertFalse(is_long(message(1, text)), text)

    def test_any_time_a_server_claims_is_shown(self) -> None:
        for at in (0, 2**53 - 1):
            [line] = lines_of(Message("lobby", 1, "bob", at, "hi"))
            self.assertEqual(len(line.clock), 5)
