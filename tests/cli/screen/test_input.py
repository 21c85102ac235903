"""Where one types, without a terminal."""

from __future__ import annotations

from unittest import TestCase

from cli.screen.input import LONG, Input


class Typing(TestCase):
    """The input as a widget."""

    def setUp(self) -> None:
        self.input = Input()
        self.long = "one line\n" * 80_000
        self.mark = "[pasted text, 720 kB, 80000 lines]"

    def press(self, *keys: str) -> None:
        for key in keys:
            self.input.keypress((80,), key)

    def test_long_paste_is_a_mark(self) -> None:
        self.press("a")
        self.input.insert(self.long)
        self.press("b")
        self.assertEqual(self.input.edit_text, f"a{self.mark}b")
        self.assertEqual(self.input.text, f"a{self.long}b")
        self.input.insert("x" * LONG)
        self.assertEqual(self.input.edit_text, f"a{self.mark}b" + "x" * LONG)

    def test_long_paste_that_comes_in_pieces(self) -> None:
        for _ in range(100):
            self.input.insert("x" * LONG)
        self.assertLess(len(self.input.edit_text), 4 * LONG)
        self.assertEqual(self.input.text, "x" * 100 * LONG)

    def test_two_that_look_alike(self) -> None:
        self.input.insert("y" * 5000)
        self.input.insert("z" * 5000)
        self.assertEqual(self.input.edit_text, "[pasted text, 5 kB, 1 line][pasted text 2, 5 kB, 1 line]")
        self.assertEqual(self.input.text, "y" * 5000 + "z" * 5000)

    def test_cursor_jumps_over_a_mark(self) -> None:
        self.press("a")
        self.input.insert(self.long)
        self.press("b", "left", "left", "c")
        self.assertEqual(self.input.edit_text, f"ac{self.mark}b")
        self.press("right", "d")
        self.assertEqual(self.input.edit_text, f"ac{self.mark}db")

    def test_a_mark_is_deleted_whole(self) -> None:
        for keys in (["backspace"], ["left", "delete"]):
            self.input.insert("a")
            self.input.insert(self.long)
            self.press(*keys)
            self.assertEqual((self.input.edit_text, self.input.text), ("a", "a"))
            self.input.clear()
        self.input.insert("é" * LONG + "!")
        self.input.insert("ab")
        self.press("backspace", "left", "backspace", "delete")
        self.assertEqual(self.input.text, "")

    def test_what_is_pasted_does_not_count_as_a_mark(self) -> None:
        self.input.insert(self.mark)
        self.input.insert(self.mark + self.long)
        self.assertEqual(self.input.text, self.mark * 2 + self.long)
