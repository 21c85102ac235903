"""What may be chosen, and what is said of the rest."""

from __future__ import annotations

from dataclasses import fields
from unittest import TestCase

from cli.settings import SETTINGS, BadSetting, Setting, Settings, Value, as_toml, named


def made(default: Value, least: int = 0, most: int = 100, choices: tuple[str, ...] = ()) -> Setting:
    return Setting("a-b", default, "help", "group", "a-b", choices, least, most, None)


class Reading(TestCase):
    def test_what_is_typed(self) -> None:
        for default, text, value in (
            (True, "off", False), (False, "Yes", True), (False, "true", True),
            (1, "0", 0), (1, " 100 ", 100),
            ("x", "some words", "some words"), ("x", "", ""), ("x", '""', ""), ("x", '"a b"', "a b"),
            ("x", "I'm", "I'm"),
            ([], "a b", ["a", "b"]), ([], "'a b' c", ["a b", "c"]), ([], '["a b", "c"]', ["a b", "c"]),
            (["a"], '""', []), (["a"], "[]", []), ([], '"a b" c', ["a b", "c"]),
        ):  # fmt: skip
            self.assertEqual(made(default).read(text), value, text)

    def test_what_is_shown_can_be_typed(self) -> None:
        for value in (True, False, 7, "", "dark", "two words", 'a "quote" \\', ["a", "b c", "d'e"], [], "謝謝"):
            self.assertEqual(made(value).read(as_toml(value)), value)

    def test_wrong(self) -> None:
        for default, text, why in (
            (True, "maybe", 'a-b is true or false, not "maybe"'),
            (1, "101", "a-b is a number from 0 to 100, not 101"),
            (1, "-1", 'a-b is a number from 0 to 100, not "-1"'),
            (1, "9" * 5000, f'a-b is a number from 0 to 100, not "{"9" * 5000}"'),
            ([], "it's", "a-b: No closing quotation"),
            ("x", "a\x07", 'a-b cannot be "a\\u0007": it has a character that cannot be printed'),
            ("x", "[" * 5000, None),
        ):
            if why is None:
                made(default).read(text)
                continue
            with self.assertRaises(BadSetting) as caught:
                made(default).read(text)
            self.assertEqual(str(caught.exception), why)
        with self.assertRaises(BadSetting) as caught:
            made("dark", choices=("dark", "light")).read("pink")
        self.assertEqual(str(caught.exception), 'a-b is one of dark, light, not "pink"')

    def test_types_of_a_file(self) -> None:
        for default, value in ((True, 1), (1, True), (1, "1"), ("x", 1), ("x", ["x"]), ([], "x"), ([], [1]), (1, 1.0)):
            with self.assertRaises(BadSetting, msg=repr((default, value))):
                made(default).check(value)


class Choosing(TestCase):
    def test_all_of_them_are_told_of(self) -> None:
        self.assertEqual([each.name.replace("_", "-") for each in fields(Settings)], list(SETTINGS))
        for setting in SETTINGS.values():
            self.assertEqual(setting.check(setting.default), setting.default)
            self.assertTrue(setting.help.isprintable() and setting.help)

    def test_names(self) -> None:
        self.assertIs(named("highlight"), SETTINGS["highlight"])
        for name, why in (
            ("highlights", "there is no setting highlights; do you mean highlight?"),
            ("zzz", "there is no setting zzz; chat --help and /set list them"),
        ):
            with self.assertRaises(BadSetting) as caught:
                named(name)
            self.assertEqual(str(caught.exception), why)

    def test_who_watches_is_told(self) -> None:
        settings, told = Settings(), []
        settings.watch("theme", lambda: told.append(settings.theme))
        settings.change("highlight", ["a"])
        settings.change("theme", "light")
        with self.assertRaises(BadSetting):
            settings.change("theme", "pink")
        self.assertEqual((told, settings.theme, settings.highlight), (["light"], "light", ["a"]))
        self.assertEqual(Settings().highlight, [])
