"""The view without columns."""

from __future__ import annotations

from unittest import TestCase

from cli.screen.bare import bare
from cli.screen.lines import PART, Kind, Line, talk
from cli.words import clock
from tests.cli.screen.made import NOON
from tests.cli.screen.test_screen import SCRIPTED
from tests.terminal import Terminal

AT = clock(NOON)


class Texts(TestCase):
    def test_messages_begin_with_time_and_name_and_nothing_else_does(self) -> None:
        lines = [
            *talk("one\n12:00 ann: forged\n", NOON, "bob"),
            *talk("/me waves", NOON, "bob"),
            Line(Kind.NOTICE, "said", NOON, "-"),
        ]
        self.assertEqual(bare(lines), f"{AT} bob one\n  12:00 ann: forged\n{AT} * bob waves\n{AT} - said")

    def test_what_was_cut_to_be_laid_out_is_whole(self) -> None:
        for text in ("http://a.b/" + "c" * 2 * PART, "word " * PART):
            with self.subTest(text[:9]):
                self.assertEqual(bare(talk(text, NOON, "bob")), f"{AT} bob {text}")
        lines = "x" * 100 + "\n"
        self.assertEqual(
            bare(talk(lines * 100, NOON, "bob")), f"{AT} bob " + (lines * 100).strip().replace("\n", "\n  ")
        )

    def test_the_rest_of_one_that_is_partly_above(self) -> None:
        _, second = talk("x" * 2 * PART, NOON, "bob")
        self.assertEqual(bare([second]), "x" * PART)
        self.assertEqual(bare([]), "")


class Screens(TestCase):
    def test_there_and_back(self) -> None:
        for screen in ("raw", "curses"):
            with self.subTest(screen), Terminal([*SCRIPTED, screen], 60, 16) as terminal:
                self.there_and_back(terminal, wraps=screen == "curses")

    def there_and_back(self, terminal: Terminal, *, wraps: bool) -> None:
        terminal.wait_for("live")
        address = "https://example.org/" + "long/" * 20
        terminal.type(f"!say {address!r}\r")
        terminal.wait_for("bob https://")
        terminal.type("!soon 'news'\rhalf\x1bl")
        terminal.wait_for("-- a key goes back --")
        terminal.wait_for("MARK")
        self.assertNotIn("bob 'news'", terminal.text)
        self.assertIn(f"bob {address}", terminal.text.replace("\n", ""))  # as the terminal wraps it
        self.assertIn("\n-- a key goes back --", terminal.text)
        terminal.type("x")
        terminal.wait_for("> half")
        terminal.wait_for("bob 'news'")
        self.assertEqual(terminal.has("7", True), wraps)
        terminal.type("\x1bl")
        terminal.wait_for("-- a key goes back --")
        terminal.process.terminate()
        terminal.wait_exit()
        self.assertTrue(terminal.restored)
