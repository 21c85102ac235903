"""The configuration file."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import TestCase

from cli.config import BadConfig, Config
from cli.edits import with_value, without_value


class Edits(TestCase):
    """A change leaves the rest as it was."""

    TEXT = (
        '# mine\n\n# colours\n# theme = "dark"\n\nhighlight = [\n  "a",  # first\n  "b",\n]  # end\n\n'
        '[keys]  # all of them\n# send\n# enter = "send"\n"C-n" = "next-room"  # as ever\n'
    )

    def test_where_it_stood_commented_out(self) -> None:
        self.assertEqual(
            with_value(self.TEXT, "", "theme", "light"), self.TEXT.replace('# theme = "dark"', 'theme = "light"')
        )
        self.assertEqual(
            with_value(self.TEXT, "keys", "enter", "new-line"),
            self.TEXT.replace('# enter = "send"', 'enter = "new-line"'),
        )

    def test_where_it_stood(self) -> None:
        changed = with_value(self.TEXT, "keys", "C-n", "")
        self.assertEqual(changed, self.TEXT.replace('"next-room"', '""'))
        changed = with_value(self.TEXT, "", "highlight", ["x", "y z"])
        self.assertIn('highlight = ["x", "y z"]  # end\n\n[keys]', changed)

    def test_new_ones_stand_in_their_table(self) -> None:
        changed = with_value(with_value(self.TEXT, "", "port", 9), "keys", "alt-x alt-y", "quit")
        self.assertLess(changed.index("port = 9"), changed.index("[keys]"))
        self.assertTrue(changed.endswith('"alt-x alt-y" = "quit"\n'))
        for line in self.TEXT.splitlines():
            self.assertIn(line, changed)
        self.assertEqual(with_value("", "keys", "a", "b"), '[keys]\na = "b"\n')

    def test_what_only_looks_like_a_comment(self) -> None:
        text = 'user = """\n# theme = "dark"\n"""\n'
        self.assertEqual(with_value(text, "", "theme", "light"), f'{text}theme = "light"\n')

    def test_back(self) -> None:
        self.assertEqual(
            without_value(self.TEXT.replace("# theme", "theme"), "", "theme", "dark"), self.TEXT, "commented out again"
        )
        self.assertIn("# highlight = []  # end\n", without_value(self.TEXT, "", "highlight", []))
        self.assertNotIn("C-n", without_value(self.TEXT, "keys", "C-n", None))


class ConfigCase(TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(TemporaryDirectory()))
        self.config = Config(self.folder / "new" / "config.toml")

    def bad(self, text: str | bytes) -> str:
        """Return what is said of ``text``, behind its path."""
        self.config.path.parent.mkdir(exist_ok=True)
        self.config.path.write_bytes(text.encode() if isinstance(text, str) else text)
        with self.assertRaises(BadConfig) as caught:
            self.config.chosen()
            self.config.bindings()
        return str(caught.exception).removeprefix(str(self.config.path))


class Reading(ConfigCase):
    def test_none_is_no_fault(self) -> None:
        self.assertEqual((self.config.chosen(), self.config.bindings()), ({}, {}))

    def test_what_is_in_it(self) -> None:
        self.config.begin('port = 9\nhighlight = ["a"]\n[keys]\n"ctrl n" = "next-room"\n')
        self.assertEqual(self.config.chosen(), {"port": 9, "highlight": ["a"]})
        self.assertEqual(self.config.bindings(), {"ctrl n": "next-room"})

    def test_broken(self) -> None:
        ends = '; a line is like theme = "dark"'
        self.assertEqual(self.bad("port = 1\n\ntheme = dark\n"), f", line 3: invalid value{ends}")
        self.assertEqual(self.bad("theme = "), f", line 1: invalid value{ends}")
        self.assertEqual(self.bad("port = 1\nport = 2\n"), f", line 2: cannot overwrite a value{ends}")
        self.assertEqual(self.bad(b"port = 1\nuser = '\xff'\n"), ", line 2: this is no UTF-8")
        self.assertEqual(self.bad("port = " + "[" * 5000), ": lists are too deep")

    def test_what_cannot_be(self) -> None:
        self.assertEqual(
            self.bad('# theme = "x"\n\ntheme = "pink"\n'), ', line 3: theme is one of dark, light, mono, not "pink"'
        )
        self.assertEqual(self.bad('themes = "dark"\n'), ", line 1: there is no setting themes; do you mean theme?")
        self.assertEqual(self.bad("zzz = 1\n"), ", line 1: there is no setting zzz; chat --help and /set list them")
        self.assertIn("keys are bound in a table", self.bad("keys = 1"))
        self.assertIn(", line 3: a key does one thing", self.bad('\n[keys]\n"ctrl-n" = 1\n'))

    def test_a_setting_among_the_keys(self) -> None:
        self.config.begin('[keys]\ntheme = "light"\n')
        self.assertEqual(
            str(self.config.wrong_key("theme", "there is no key theme")),
            f"{self.config.path}, line 2: there is no key theme; settings stand above [keys]",
        )

    def test_no_file_at_all(self) -> None:
        self.config.path.mkdir(parents=True)
        with self.assertRaises(BadConfig) as caught:
            self.config.chosen()
        self.assertIn("cannot be read: Is a directory", str(caught.exception))


class Keeping(ConfigCase):
    def test_it_begins_once(self) -> None:
        self.assertTrue(self.config.begin('# theme = "dark"\n'))
        self.config.keep("theme", "light")
        self.assertFalse(self.config.begin('# theme = "dark"\n'))
        self.assertEqual(self.config.chosen(), {"theme": "light"})

    def test_the_default_is_not_kept(self) -> None:
        self.config.keep("theme", "dark")
        self.assertFalse(self.config.path.exists())
        self.config.keep("theme", "light")
        self.config.keep("theme", "dark")
        self.assertEqual((self.config.chosen(), self.config.path.read_text()), ({}, '# theme = "dark"\n'))

    def test_a_key_is_found_however_it_is_written(self) -> None:
        self.config.begin('[keys]\n"C-n" = "quit"\n')
        self.config.bind("ctrl-n", "/join ops", lambda written: written == "C-n")
        self.assertEqual(self.config.bindings(), {"C-n": "/join ops"})
        self.config.bind("ctrl-n", None, lambda written: written == "C-n")
        self.assertEqual(self.config.path.read_text(), "[keys]\n")

    def test_a_link_stays_one_and_the_mode_too(self) -> None:
        real = self.folder / "dotfiles.toml"
        real.write_text("port = 9\n")
        real.chmod(0o640)
        self.config.path.parent.mkdir()
        self.config.path.symlink_to(real)
        self.config.keep("theme", "light")
        self.assertEqual(real.read_text(), 'port = 9\ntheme = "light"\n')
        self.assertEqual(real.stat().st_mode & 0o777, 0o640)
        self.assertTrue(self.config.path.is_symlink())
        self.assertEqual([each.name for each in self.config.path.parent.iterdir()], ["config.toml"])

    def test_where_it_cannot_be_written(self) -> None:
        self.config.path.parent.mkdir()
        self.config.path.symlink_to("/proc/nowhere/config.toml")
        with self.assertRaises(OSError):
            self.config.keep("theme", "light")

    def test_one_that_was_broken_meanwhile_is_left_alone(self) -> None:
        self.config.begin("theme = ")
        with self.assertRaises(BadConfig):
            self.config.keep("theme", "light")
        self.assertEqual(self.config.path.read_text(), "theme = ")

    def test_keys_that_are_no_table_meanwhile(self) -> None:
        for text in ('keys = "x"\n', "keys = 5\n", "keys = []\n", "[[keys]]\n"):
            with self.subTest(text):
                self.config.path.parent.mkdir(exist_ok=True)
                self.config.path.write_text(text)
                for what in ("quit", None):
                    with self.assertRaisesRegex(BadConfig, ": keys are bound in a table"):
                        self.config.bind("ctrl-n", what, lambda written: written == "ctrl-n")
                self.assertEqual(self.config.path.read_text(), text)

    def test_what_can_be_read_and_not_changed(self) -> None:
        self.config.begin(f"deep = {'[' * 200}{']' * 200}\n")
        with self.assertRaisesRegex(BadConfig, "config.toml cannot be changed: .*levels deep"):
            self.config.keep("theme", "light")
