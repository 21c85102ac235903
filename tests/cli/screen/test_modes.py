"""What takes the keys for a while."""

from __future__ import annotations

from unittest import TestCase

from cli.screen.modes import DOTS, LEAVES, LONGEST_SECRET, Hold, PasteQuestion, Secret
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


class Holds(TestCase):
    def test_nothing_goes_anywhere_before_its_end(self) -> None:
        for end in (*LEAVES, "enter"):
            done: list[str] = []
            hold = Hold("wait", (*LEAVES, "enter"), lambda done=done: done.append("done"))  # type: ignore[misc]
            for key in (*map(Pasted, "the passw"), Pasted("esc"), Pasted("enter"), "up", "tab", "meta 1"):
                self.assertTrue(hold.press(key))
            self.assertEqual((done, hold.over), ([], False))
            self.assertTrue(hold.press(end))
            self.assertEqual((done, hold.over), (["done"], True))


class Secrets(TestCase):
    def setUp(self) -> None:
        self.got: list[str | None] = []
        self.secret = Secret("password", self.got.append)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.assertTrue(self.secret.press(key))

    def test_only_dots_are_seen(self) -> None:
        self.press(*map(Pasted, "secret"))
        self.assertEqual(self.secret.prompt, "password: •••••• (Enter when it is whole, Esc to leave it)")
        self.press(*map(Pasted, "x" * DOTS))
        self.assertEqual(self.secret.prompt.count("•"), DOTS)

    def test_it_is_typed(self) -> None:
        self.press(
            "enter", *map(Pasted, "xy"), "ctrl u", Pasted("enter"), Pasted("1"), "backspace", Pasted("!\n2"), "up"
        )
        self.assertEqual((self.got, self.secret.over), ([], False))
        self.press("enter")
        self.assertEqual((self.got, self.secret.over), (["enter!"], True))
        self.assertNotIn("•", self.secret.prompt)

    def test_it_may_be_left(self) -> None:
        for key in ("esc", "ctrl c", "ctrl g", "ctrl d"):
            self.setUp()
            self.press(Pasted("x"), key)
            self.assertEqual((self.got, self.secret.over), ([None], True))

    def test_it_has_an_end(self) -> None:
        self.press(Pasted("x" * 5000), "enter")
        self.assertEqual(self.got, ["x" * LONGEST_SECRET])
