"""Lines: each keeps its order, and who has little is before who has much."""

from __future__ import annotations

from unittest import TestCase

from hypothesis import given
from hypothesis import strategies as st

from server.lines import HELPING, Lines


class LinesTests(TestCase):
    def setUp(self) -> None:
        self.lines: Lines[tuple[str, int]] = Lines()

    def put(self, line: str, count: int) -> None:
        for number in range(count):
            self.lines.put(line, (line, number))

    def taken(self, count: int = 1 << 30) -> str:
        """Return of which lines the next ``count`` things are, each helping once."""
        lines = ""
        while self.lines and count:
            line, _ = self.lines.take()
            lines += line if not lines.endswith(line) else ""
            count -= 1
        return lines

    def test_a_new_line_goes_before_the_long_ones(self) -> None:
        self.put("a", 5 * HELPING)
        self.put("b", 5 * HELPING)
        self.assertEqual(self.taken(3 * HELPING), "aba")
        self.put("c", 2)
        self.assertEqual(self.taken(2), "c")
        self.assertEqual(self.taken(), "bababab")

    def test_what_is_to_be_first_goes_before_a_new_line(self) -> None:
        self.put("a", 1)
        self.assertFalse(self.lines.has_first)
        self.lines.put("b", ("b", 0), first=True)
        self.put("b", HELPING)
        self.assertTrue(self.lines.has_first)
        self.assertEqual(self.taken(HELPING), "b")
        self.assertFalse(self.lines.has_first)
        self.assertEqual(self.taken(), "ab")

    def test_all_that_is_put_is_taken_and_nothing_is_left(self) -> None:
        self.put("a", HELPING + 1)
        self.taken()
        self.assertFalse(self.lines)
        self.put("a", 1)
        self.assertEqual(self.lines.take(), ("a", 0))

    @given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2 * HELPING)), max_size=20))
    def test_each_line_keeps_its_order(self, puts: list[tuple[str, int]]) -> None:
        lines: Lines[tuple[str, int]] = Lines()
        last, put, taken = 0, dict.fromkeys("abc", 0), dict.fromkeys("abc", 0)
        for line, count in puts:
            for _ in range(count):
                lines.put(line, (line, put[line]))
                put[line] += 1
            for _ in range(count // 2):
                line, last = lines.take()
                self.assertEqual(last, taken[line])
                taken[line] += 1
        while lines:
            line, last = lines.take()
            self.assertEqual(last, taken[line])
            taken[line] += 1
        self.assertEqual(taken, put)
