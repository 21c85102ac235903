"""What takes the keys for a while."""

from __future__ import annotations

from unittest import TestCase

from cli.screen.modes import PasteQuestion
from cli.screen.paste import Pasted


class PasteQuestions(TestCase):
    def setUp(self) -> None:
        self.did: list[str] = []
        self.question = PasteQuestion("one\ntwo\n", self.did.append, lambda: self.did.append("sent"))

    def press(self, *keys: str) -> None:
        for key in keys:
            self.assertTrue(self.question.press(key))

    def test_it_tells_how_much_it_is(self) -> None:
        self.assertEqual(self.question.prompt, "paste 2 lines, 8 bytes? Enter sends, e edits, Esc drops")

    def test_answers(self) -> None:
        for key, did in (
            ("enter", ["one\ntwo\n", "sent"]),
            (Pasted("e"), ["one\ntwo\n"]),
            ("esc", []),
            ("ctrl c", []),
        ):
            self.setUp()
            self.press(key)
            self.assertEqual((self.did, self.question.over), (did, True))

    def test_nothing_else_goes_anywhere(self) -> None:
        self.press(Pasted("hello"), Pasted("enter"), Pasted("esc"), "up", "tab", "ctrl d", "backspace")
        self.assertEqual((self.did, self.question.over), ([], False))

    def test_what_is_pasted_meanwhile_joins(self) -> None:
        self.press(Pasted("three\nfour"), Pasted("e"))
        self.assertEqual(self.did, ["one\ntwo\nthree\nfour"])
