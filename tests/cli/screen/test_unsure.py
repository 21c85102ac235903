"""Rows whose width terminals do not agree about."""

from __future__ import annotations

from io import StringIO
from unittest import TestCase

import pyte
import urwid

from cli.screen.raw_screen import RawScreen
from cli.screen.unsure import wiped
from tests.cli.screen.test_screen import SCRIPTED
from tests.terminal import Screen, Terminal

WIPE = "\x1b7\x1b[0m\x1b[2K\x1b8"
HEART = "\u2764\ufe0f"  # two columns by the standard, one in many a terminal, pyte among them


class Frames(TestCase):
    def test_only_rows_that_need_it(self) -> None:
        rows = [
            "\x1b[H",
            "\x1b[1;1H\x1b[0mplain",
            f"\x1b[2;1H\x1b[0;1mred {HEART}",
            "\x1b[3;1Hлюди 人 ≈ … ↓ ␛",
            "\x1b[9;3H",
        ]
        drawn = [*rows]
        drawn[2] = rows[2].replace("\x1b[2;1H", "\x1b[2;1H" + WIPE)
        self.assertEqual(wiped("".join(rows)), "".join(drawn))

    def test_what_is_no_frame_is_left_alone(self) -> None:
        for text in ("", "\x1b[?7l", HEART, f"\x1b]0;{HEART}\x07"):
            self.assertEqual(wiped(text), text)


class Screens(TestCase):
    def test_nothing_stays_at_the_end_of_a_row(self) -> None:
        written, shown = StringIO(), Screen(20, 2)
        screen = RawScreen(written)
        screen._started = True
        for text in ("x" * 20, HEART * 10):
            screen.draw_screen((20, 2), urwid.TextCanvas([text.encode(), b"y" * 20]))
        pyte.Stream(shown).feed(written.getvalue())
        self.assertEqual(shown.display, [HEART[0] * 10 + " " * 10, "y" * 20])

    def test_nothing_goes_beyond_the_margin(self) -> None:
        with Terminal(SCRIPTED, 60, 12) as terminal:
            terminal.wait_for("live")
            self.assertFalse(terminal.has("7", True))
            family = "\U0001f468\U0001f469\U0001f467".replace("", "\u200d")[1:-1]  # six columns in pyte, two with us
            terminal.type(f"!say '{family}' * 40\r!say 'the last'\r")
            terminal.wait_for("bob the last")
            self.assertTrue(
                all(row[:2].strip() in ("", "──") or row[2] == ":" for row in terminal.lines[:-2]), terminal.text
            )
            self.assertEqual(terminal.lines[-1], ">")
            terminal.type("\x04")
            self.assertEqual(terminal.wait_exit(), 0)
            self.assertTrue(terminal.restored and terminal.has("7", True))
