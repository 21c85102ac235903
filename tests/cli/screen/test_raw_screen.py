"""What is drawn stands on the screen, whatever stood there before."""

from __future__ import annotations

import random
from io import StringIO
from unittest import TestCase

import pyte
import urwid

from cli.screen.raw_screen import RawScreen, Shift, shifted
from tests.chance import new_seed

COLUMNS, ROWS = 12, 9


class Shown:
    """A screen without a terminal's modes, whose output pyte shows."""

    def __init__(self) -> None:
        self.out = StringIO()
        self.screen = RawScreen(self.out)
        self.screen._started = True
        self.terminal = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.Stream(self.terminal)

    def draw(self, rows: list[str], cursor: tuple[int, int] | None = None) -> str:
        """Draw ``rows``; return what was written."""
        self.screen.draw_screen(
            (COLUMNS, ROWS), urwid.TextCanvas([row.ljust(COLUMNS).encode() for row in rows], cursor=cursor)
        )
        written = self.out.getvalue()
        self.out.seek(0)
        self.out.truncate()
        self._stream.feed(written)
        return written


class Drawings(TestCase):
    def test_whatever_moves(self) -> None:
        choose = random.Random(new_seed())
        shown = Shown()
        rows = [""] * ROWS
        for _ in range(2000):
            top = choose.randrange(ROWS)
            block = rows[top:]
            by = choose.randrange(len(block))
            new = [choose.choice(["", "a", "b", f"row {choose.randrange(1000)}"]) for _ in range(by)]
            rows = rows[:top] + (block[by:] + new if choose.random() < 0.6 else new + block[: len(block) - by])
            if choose.random() < 0.3:
                rows[choose.randrange(ROWS)] = "other"
            shown.draw(rows, (choose.randrange(COLUMNS), 0))
            self.assertEqual([row.rstrip() for row in shown.terminal.display], rows)

    def test_a_new_line_is_all_that_is_written(self) -> None:
        shown = Shown()
        rows = [f"line {number}" for number in range(7)]
        shown.draw([*rows, "status", "> "])
        written = shown.draw([*rows[1:], "new", "status", "> "])
        self.assertIn("new", written)
        self.assertNotIn("line", written)
        self.assertNotIn("status", written)
        written = shown.draw(["line 0", *rows[1:], "status", "> "])
        self.assertIn("line 0", written)
        self.assertNotIn("line 1", written)

    def test_nothing_is_written_for_nothing(self) -> None:
        shown = Shown()
        shown.draw(["a"] * ROWS, (1, 1))
        self.assertEqual(shown.draw(["a"] * ROWS, (1, 1)), "")
        self.assertNotEqual(shown.draw(["a"] * ROWS, (2, 1)), "")
        shown.screen.clear()
        self.assertNotEqual(shown.draw(["a"] * ROWS, (2, 1)), "")

    def test_new_colours_are_drawn(self) -> None:
        shown = Shown()
        shown.screen.register_palette([("x", "default", "default")])
        shown.draw(["a"] * ROWS)
        shown.screen.register_palette([(None, "dark red", "default")])
        self.assertIn("31", shown.draw(["a"] * ROWS))


class Shifts(TestCase):
    def test_what_moved(self) -> None:
        for old, new, shift in [
            ("hABCDEs", "hBCDEFs", Shift(1, 5, 1)),
            ("hABCDEs", "hCDEFGs", Shift(1, 5, 2)),
            ("hABCDEs", "hXABCDs", Shift(1, 5, -1)),
            ("ABCDEFst", "BCDEFGux", Shift(0, 5, 1)),
            ("1ABCDEFGs", "2BXDEFGHt", Shift(3, 7, 1)),  # what stands beside it changed too
            ("ABCDEF", "ABCDEF", None),
            ("ABCDEF", "ABCXEF", None),
            ("ABCDEF", "UVWXYZ", None),
            ("", "", None),
            ("AB", "ABC", None),
        ]:
            with self.subTest(f"{old} {new}"):
                self.assertEqual(shifted(old, new), shift)
