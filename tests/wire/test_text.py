"""Text that others wrote, made harmless for a terminal."""

from __future__ import annotations

import itertools
import re
from unicodedata import category
from unittest import TestCase

from hypothesis import given
from hypothesis import strategies as st

from tests.attacks import ATTACKS, HARMS
from wire.text import MAX_MARKS, safe, safe_line

HIDDEN = {0xAD, 0x180E, 0x200B, 0x2028, 0x2029, 0xFEFF, 0x115F, 0x1160, 0x3164, 0xFFA0, *range(0x2060, 0x2066)}
HIDDEN |= {*range(0x206A, 0x2070), *range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE0080)}
TURNING = {0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}

anything = st.text(st.characters(codec=None)) | st.text(
    st.sampled_from("a\n\t\r\x1b\x07\x7f\x9b\u0301\u0489\u200d\ufe0f\u202e\u2066\U000e0041\ud800\u00ad[]0;m")
)


class SafeTests(TestCase):
    def test_harmless_text_is_left_alone(self) -> None:
        for text in (
            "", "hello", "two\nlines", "a\ttab", "caf\u00e9", "\u4e2d\u6587", "\u05e9\u05dc\u05d5\u05dd",
            "e\u0301", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\u2764\ufe0f", "x\u0300\u0301\u0302\u0303", "~",
        ):  # fmt: skip
            self.assertEqual(safe(text), text)

    def test_attacks(self) -> None:
        for name, attack, shown in (
            ("colour", "\x1b[31mred\x1b[0m", "\u241b[31mred\u241b[0m"),
            ("clear the screen", "\x1b[2J\x1b[H", "\u241b[2J\u241b[H"),
            ("title", "\x1b]0;root\x07", "\u241b]0;root\u2407"),
            ("clipboard", "\x1b]52;c;ZXZpbA==\x1b\\", "\u241b]52;c;ZXZpbA==\u241b\\"),
            ("eight-bit escape", "\x9b2J", "\ufffd2J"),
            ("eight-bit OSC", "\x9d0;x\x9c", "\ufffd0;x\ufffd"),
            ("overwritten line", "rm -rf /\rls", "rm -rf /ls"),
            ("overwritten letters", "no\x08\x08yes", "no\u2408\u2408yes"),
            ("bell", "\x07" * 3, "\u2407" * 3),
            ("nul", "a\x00b", "a\u2400b"),
            ("delete", "a\x7fb", "a\u2421b"),
            ("line drawing", "\x0eabc\x0f", "\u240eabc\u240f"),
            ("form feed and vertical tab", "a\x0cb\x0bc", "a\u240cb\u240bc"),
            ("turned around", "abc\u202egpj.exe", "abc\ufffdgpj.exe"),
            ("isolated", "\u2066a\u2069", "\ufffda\ufffd"),
            ("marks of direction", "a\u200eb\u200fc\u061cd", "a\ufffdb\ufffdc\ufffdd"),
            ("hidden tags", "hi\U000e0068\U000e0069\U000e007f", "hi"),
            ("invisible", "pay\u200b\u2060\u00ad\ufeff\u3164pal", "paypal"),
            ("a line of its own", "a\u2028ann: b\u2029c", "aann: bc"),
            ("half a pair", "a\ud800b\udfff", "a\ufffdb\ufffd"),
            ("next line", "a\x85b", "a\ufffdb"),
        ):
            with self.subTest(name):
                self.assertEqual(safe(attack), shown)

    def test_nothing_of_what_was_sent_to_other_programs_is_left(self) -> None:
        for name, attack in ATTACKS.items():
            with self.subTest(name):
                self.assertIsNone(HARMS.search(safe(attack)))
                self.assertIsNone(re.search("[\n\t]", safe_line(attack)))

    def test_marks_do_not_pile_up(self) -> None:
        self.assertEqual(safe("a" + "\u0301" * 100 + "b"), "a" + "\u0301" * 4 + "b")
        self.assertEqual(safe(("x" + "\u0489" * 9) * 3), ("x" + "\u0489" * 4) * 3)
        self.assertEqual(safe("a" + "\u0301\u200b" * 50), "a" + "\u0301" * 4)

    def test_neither_do_joiners_and_korean_letters(self) -> None:
        self.assertEqual(safe("a" + "\u200d" * 9 + "b" + "\u200c" * 9), "a" + "\u200d" * 4 + "b" + "\u200c" * 4)
        self.assertEqual(safe("\u1112" + "\u1161" * 9), "\u1112" + "\u1161" * 4)
        self.assertEqual(safe("a" + "\u0301\u200d\u1161\ufe0f" * 9), "a\u0301\u200d\u1161\ufe0f")

    def test_what_people_write_is_no_pile(self) -> None:
        for text in (
            "\U0001f469\U0001f3fb\u200d\u2764\ufe0f\u200d\U0001f48b\u200d\U0001f469\U0001f3fc",  # a kiss
            "\U0001f3f3\ufe0f\u200d\U0001f308", "1\ufe0f\u20e3", "\u0915\u094d\u200d\u0937\u093f",
            "\u05e9\u05bc\u05c1\u05b8", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u1112\u1161\u11ab" * 9,
        ):  # fmt: skip
            with self.subTest(text):
                self.assertEqual(safe(text), text)

    def test_joiners_do_not_part_a_pile(self) -> None:
        shown = safe("a" + ("\u0301" * 4 + "\u200d") * 25)
        self.assertEqual(shown.replace("\u200d", ""), "a" + "\u0301" * 4)

    def test_one_line(self) -> None:
        self.assertEqual(safe_line("a\nb\tc\r\x1b"), "a\u240ab\u2409c\u241b")
        self.assertEqual(safe_line("hello"), "hello")

    @given(anything)
    def test_nothing_is_left_that_harms(self, text: str) -> None:
        shown = safe(text)
        for c in shown:
            self.assertTrue(c in "\n\t" or category(c) not in ("Cc", "Cs"), ascii(shown))
            self.assertNotIn(ord(c), HIDDEN | TURNING)
        for is_mark, run in itertools.groupby(shown, lambda c: category(c).startswith("M")):
            self.assertFalse(is_mark and len(list(run)) > MAX_MARKS, ascii(shown))
        shown.encode()

    @given(anything)
    def test_doing_it_twice_changes_nothing(self, text: str) -> None:
        self.assertEqual(safe(safe(text)), safe(text))
        self.assertEqual(safe_line(safe_line(text)), safe_line(text))

    @given(anything)
    def test_a_line_stays_one_line(self, text: str) -> None:
        self.assertLessEqual(len(safe_line(text).splitlines()), 1)
