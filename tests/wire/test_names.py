"""Names: which there are, and which two are one."""

from __future__ import annotations

from functools import partial
from threading import Event, Thread
from time import process_time, thread_time
from unicodedata import category, decomposition, is_normalized, normalize
from unittest import TestCase

from hypothesis import example, given
from hypothesis import strategies as st

from wire.names import STEP, BadName, _stands_alone, canonical, file_name, fold, folding, room_name


class RoomNames(TestCase):
    def test_a_talk_of_two_is_called_as_the_other(self) -> None:
        self.assertEqual(room_name("@\uff22ob"), "@Bob")
        self.assertEqual(room_name("@" + "x" * 32), "@" + "x" * 32)
        self.assertEqual(room_name("lobby"), "lobby")

    def test_what_is_none(self) -> None:
        for name in ("@", "@@bob", "@ bob", "@" + "x" * 33, "\uff20bob", "#room", "bob@"):
            with self.assertRaises(BadName, msg=ascii(name)):
                room_name(name)


class CanonicalTests(TestCase):
    def test_names(self) -> None:
        for name in (
            "ann", "Ann", "a", "_", "_x", "7", "0-0", "a.b-c_d", "\u00e9va", "\u4e2d\u6587", "\u0391\u03bd\u03bd\u03b1",
            "\u0905\u0928\u093f\u0924\u093e", "x" * 32, "\u0663\u0664", "\U00010400x", "a..", "a--",
        ):  # fmt: skip
            self.assertEqual(canonical(name), normalize("NFKC", name))

    def test_what_is_no_name(self) -> None:
        for name in (
            "", " ", "a b", "-a", ".a", "..", "@ann", "#room", "a/b", "a\\b", "a\nb", "a\x00", "\x1b[31m", "x" * 33,
            "a\ud800", "\u0301a", "\u2122\u20ac", "\U0001f600", "a,b", "a:b", "a\u3000b", "\u2160\u2028",
        ):  # fmt: skip
            with self.assertRaises(BadName, msg=ascii(name)) as caught:
                canonical(name)
            self.assertTrue(str(caught.exception))

    def test_they_are_kept_in_nfkc(self) -> None:
        for written, kept in (
            ("e\u0301va", "\u00e9va"),
            ("\uff41\uff4e\uff4e", "ann"),
            ("\ufb01n", "fin"),
            ("x\u00b2", "x2"),
            ("\u212b", "\u00c5"),
        ):
            self.assertEqual(canonical(written), kept)

    def test_the_length_counts_after_nfkc(self) -> None:
        self.assertEqual(canonical("e\u0301" * 32), "\u00e9" * 32)
        with self.assertRaises(BadName):
            canonical("\ufb03" * 11)  # three letters each

    def test_what_is_drawn_as_nothing_is_refused(self) -> None:
        for c in (
            "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b\u180e\u180f\u200b\u200c\u200d\u200e\u202a\u202e"
            "\u2060\u2064\u2066\u206f\u3164\ufe00\ufe0f\ufeff\uffa0\ufff0"
            "\U0001bca0\U0001d173\U000e0001\U000e0041\U000e01ef\U000e0fff"
        ):
            for name in (f"a{c}", f"{c}a", f"a{c}b"):
                with self.assertRaises(BadName, msg=ascii(name)):
                    canonical(name)

    @given(st.text(max_size=40))
    def test_whatever_passes_is_a_name_by_the_rules(self, text: str) -> None:
        try:
            name = canonical(text)
        except BadName:
            return
        self.assertTrue(1 <= len(name) <= 32)
        self.assertTrue(is_normalized("NFKC", name))
        self.assertEqual(canonical(name), name)
        self.assertTrue(all(category(c)[0] in "LM" or category(c) == "Nd" or c in "_-." for c in name))
        self.assertTrue(category(name[0])[0] == "L" or category(name[0]) == "Nd" or name[0] == "_")

    @given(st.text(st.characters(categories=["L", "Nd"]), min_size=1, max_size=8))
    def test_letters_and_digits_are_a_name(self, text: str) -> None:
        hidden = any(c in "\u115f\u1160\u3164\uffa0" for c in text)  # letters by category, and yet invisible
        changed = any(category(c)[0] not in "LMN" for c in normalize("NFKC", text))
        if hidden or changed or category(normalize("NFKC", text)[0])[0] == "M" or len(normalize("NFKC", text)) > 32:
            return
        self.assertEqual(canonical(text), normalize("NFKC", text))


class FoldTests(TestCase):
    def test_spellings_of_one_name(self) -> None:
        for spellings in (
            ("ann", "Ann", "ANN", "\uff21nn"),
            ("stra\u00dfe", "STRASSE", "Stra\u1e9ee"),
            ("\u00e9va", "E\u0301VA"),
            ("\u03c3\u03c2", "\u03a3\u03a3"),
            ("\ufb01n", "FIN"),
            ("\u1fb3", "\u0391\u0399"),
        ):
            self.assertEqual(len({fold(s) for s in spellings}), 1, spellings)

    def test_other_names(self) -> None:
        self.assertNotEqual(fold("ann"), fold("anna"))
        self.assertNotEqual(fold("eva"), fold("\u00e9va"))
        self.assertNotEqual(fold("i"), fold("\u0131"))

    @given(st.text())
    def test_by_the_letter(self, text: str) -> None:
        self.assertEqual(fold(text), normalize("NFKC", normalize("NFKC", text).casefold()))

    @given(st.text())
    def test_what_is_kept_folds_as_what_was_written(self, text: str) -> None:
        self.assertEqual(fold(normalize("NFKC", text)), fold(text))


class PileTests(TestCase):
    """``normalize`` sorts the marks on a letter each by each: of a frame full of them in seven seconds."""

    MARKS = "\u0301\u0316\u0323\u0344\u0345\uff9e\u0f73\u0f71\u3099\u0334"  # of several classes; some are two

    def test_a_frame_of_marks_takes_no_longer_than_one_of_letters(self) -> None:
        for marks in ("\u0301\u0316" * 15_000, "\u0301" * 15_000 + "\u0316" * 15_000, "\u0301\uff9e" * 12_000):
            began = process_time()
            fold("a" + marks)
            self.assertLess(process_time() - began, 0.5)

    def test_nor_does_a_name_that_is_none(self) -> None:
        began = process_time()
        with self.assertRaises(BadName):
            canonical("a" + "\u0301\u0316" * 15_000)
        self.assertLess(process_time() - began, 0.1)

    def test_no_more_than_four_characters_become_one(self) -> None:
        self.assertEqual(len(canonical("\u03b1\u0313\u0300\u0345" * 32)), 32)
        self.assertEqual(max(len(normalize("NFD", chr(code))) for code in range(0x110000)), 4)

    def test_what_becomes_longest_lets_others_run(self) -> None:
        turns: list[int] = []
        done = Event()
        other = Thread(target=lambda: [turns.append(1) for _ in iter(partial(done.wait, 0.001), True)])  # type: ignore[func-returns-value]
        other.start()
        fold("\ufdfa" * 20_000)
        done.set()
        other.join()
        self.assertGreater(len(turns), 2)

    def test_what_becomes_one_with_what_is_before_it_is_known(self) -> None:
        for code in range(0x110000):
            parts = decomposition(chr(code)).split()
            if len(parts) == 2 and not parts[0].startswith("<"):
                self.assertFalse(_stands_alone(chr(int(parts[1], 16))), parts)

    def test_no_step_takes_long(self) -> None:
        for text in ("\u0301\u0316" * 15_000, "\ufdfa" * 20_000, "A" + "\u0344\u0345" * 15_000, "\u1161" * 20_000):
            steps: list[float] = []
            pieces = folding(text)
            before = thread_time()
            for _ in pieces:
                steps.append(thread_time() - before)
                before = thread_time()
            self.assertGreaterEqual(len(steps), 100)
            self.assertLess(sorted(steps)[-3], sum(steps) / 10)  # but for its end, and where the system looks in
            self.assertLess(max(steps), sum(steps) / 2)

    def test_what_stands_alone_does_so_in_small_letters(self) -> None:
        alone = filter(_stands_alone, map(chr, range(0x110000)))
        self.assertEqual([c for c in alone if not _stands_alone(c.casefold()[0])], [])

    @given(
        st.lists(
            st.text(
                st.sampled_from("ab\u00e0\ufdfa\u1100\u1161\u11a8\uac00" + MARKS), min_size=STEP // 8, max_size=STEP
            ),
            max_size=8,
        )
    )
    @example(["a" + MARKS * STEP])
    def test_by_the_letter(self, texts: list[str]) -> None:
        text = "".join(texts)
        self.assertEqual(fold(text), normalize("NFKC", normalize("NFKC", text).casefold()))


class FileNameTests(TestCase):
    def test_names_of_files(self) -> None:
        for name in ("a", "a b.txt", ".", "r\u00e9sum\u00e9.pdf", "x" * 255, "\U0001f600" * 63, "a\u202eb"):
            self.assertEqual(file_name(name), name)

    def test_what_is_none(self) -> None:
        for name in ("", "x" * 256, "\U0001f600" * 64, "a/b", "a\\b", "a\nb", "\x00", "\x1b[2J", "\x7f", "\x9b2J"):
            with self.assertRaises(BadName, msg=ascii(name)):
                file_name(name)
