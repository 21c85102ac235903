"""Words set in columns."""

from __future__ import annotations

from unittest import TestCase

from urwid import calc_width

from cli.screen.columns import aligned, in_columns


class Columns(TestCase):
    def test_as_many_as_fit(self) -> None:
        words = ["ann", "bob", "carolina", "dan", "谢谢"]
        self.assertEqual(list(in_columns(words, 18)), ["ann       bob", "carolina  dan", "谢谢"])
        self.assertEqual(list(in_columns(words, 17)), words)
        self.assertEqual(list(in_columns(words, 3)), words)
        self.assertEqual(list(in_columns([], 80)), [])

    def test_wide_characters_count_as_two(self) -> None:
        one, other = in_columns(["谢谢", "a", "b", "c"], 10)
        self.assertEqual([calc_width(line, 0, len(line)) for line in (one, other)], [7, 7])

    def test_table(self) -> None:
        self.assertEqual(
            list(aligned([("lobby", "3 there", ""), ("谢", "12 there", "x")])),
            ["lobby  3 there", "谢     12 there  x"],
        )
        self.assertEqual(list(aligned([])), [])
