"""Names told apart."""

from __future__ import annotations

from collections import Counter
from unittest import TestCase

from cli.screen import names
from cli.screen.names import Names, colour
from cli.screen.themes import COLOURS


class Colours(TestCase):
    def test_they_never_change(self) -> None:
        self.assertEqual(
            {name: colour(name) for name in ("ann", "bob", "carol", "Zoë", "谢谢")},
            {"ann": "name 7", "bob": "name 4", "carol": "name 3", "Zoë": "name 4", "谢谢": "name 0"},
        )

    def test_every_spelling_has_the_same(self) -> None:
        for spelling in ("ANN", "Ann", "\uff41nn"):
            self.assertEqual(colour(spelling), colour("ann"))
        self.assertEqual(colour("Zoe\u0308"), colour("zoë"))

    def test_none_is_preferred(self) -> None:
        found = Counter(colour(f"user{number}") for number in range(10_000))
        self.assertEqual(len(found), COLOURS)
        self.assertLess(max(found.values()), 1.2 * min(found.values()))

    def test_any_text_has_one(self) -> None:
        for name in ("", "\ud800", "a\x00b", "x" * 10_000):
            self.assertRegex(colour(name), r"\Aname \d+\Z")


class Alike(TestCase):
    def test_a_letter_of_another_alphabet(self) -> None:
        shown = Names()
        for name in ("ann", "bob", "maxim", "paypal", "nina"):
            self.assertFalse(shown.is_alike(name))
        for name in ("\u0430nn", "b\u03bfb", "m\u0430xim", "\u0440\u0430\u0443\u0440\u0430\u0142", "n\u0131na", "änn",
                     "\u041d\u0456\u043d\u0430"):  # fmt: skip
            with self.subTest(name):
                self.assertIs(shown.is_alike(name), name != "\u041d\u0456\u043d\u0430")  # Ніна: hiha

    def test_a_whole_name_of_another_alphabet_only_beside_its_twin(self) -> None:
        shown = Names()
        self.assertFalse(shown.is_alike("\u0441\u043e\u0441\u043e"))
        self.assertFalse(shown.is_alike("coco"))
        self.assertTrue(shown.is_alike("\u0441\u043e\u0441\u043e"))
        self.assertTrue(shown.is_alike("\u0421\u041e\u0421\u041e"))

    def test_of_two_that_are_not_ascii_the_later_one(self) -> None:
        shown = Names()
        self.assertFalse(shown.is_alike("\u03bf\u03bd\u03bf"))
        self.assertTrue(shown.is_alike("\u043e\u03bd\u043e"))
        self.assertFalse(shown.is_alike("\u03bf\u03bd\u03bf"))

    def test_mixed_alphabets_always(self) -> None:
        for name in ("adm\u0456n", "\u0440aul", "\u03b1lex", "Ал\u0065кс"):
            self.assertTrue(Names().is_alike(name), name)

    def test_names_as_people_have_them_are_left_alone(self) -> None:
        shown = Names()
        for name in ("ann", "anna", "Ann_2", "Zoë", "Łukasz", "Иван", "Вера", "Γιώργος", "谢谢", "太郎_taro", "ひろみ",
                     "김철수", "محمد", "שלום", "สมชาย", "राम", "ANN", "user01", "userol"):  # fmt: skip
            with self.subTest(name):
                self.assertFalse(shown.is_alike(name))
                self.assertFalse(shown.is_alike(name))

    def test_any_text(self) -> None:
        for name in ("", "\ud800", "\x1b[31m", "\u202e"):
            Names().is_alike(name)

    def test_what_is_too_long_for_a_name_is_none(self) -> None:
        shown = Names()
        self.assertTrue(shown.is_alike("a" * 33))
        self.assertEqual(shown._shown, {})

    def test_no_more_than_some_are_remembered(self) -> None:
        shown = Names()
        self.addCleanup(setattr, names, "MOST", names.MOST)
        names.MOST = 3  # type: ignore[misc]
        for name in ("coco", "b", "c", "d"):
            shown.is_alike(name)
        self.assertFalse(shown.is_alike("\u0441\u043e\u0441\u043e"))
        self.assertEqual(len(shown._shown), 3)

    def test_who_is_seen_now_and_then_is_not_forgotten(self) -> None:
        shown = Names()
        for name in ("coco", *(f"user{number}" for number in range(names.MOST - 10)), "coco", *map(str, range(100))):
            shown.is_alike(name)
        self.assertTrue(shown.is_alike("\u0441\u043e\u0441\u043e"))

    def test_own_one_never(self) -> None:
        shown = Names("coco")
        for number in range(2 * names.MOST):
            shown.is_alike(f"user{number}")
        self.assertTrue(shown.is_alike("\u0441\u043e\u0441\u043e"))
