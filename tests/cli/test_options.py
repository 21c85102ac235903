"""What people may write behind ``chat``."""

from __future__ import annotations

import os
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import TestCase
from unittest.mock import patch

from twisted.python.usage import UsageError

from cli import options
from cli.config import BadConfig, Config
from cli.options import AnyOptions, Options, SaveOptions, SendOptions, TailOptions
from cli.settings import SETTINGS


def parsed(line: str, kind: type[AnyOptions] = Options) -> Any:
    found = kind()
    found.parseOptions(line.split())
    return found


class Arguments(TestCase):
    def test_name_and_address(self) -> None:
        for line, user, host, port in (
            ("ann", "ann", "127.0.0.1", 7777),
            ("ann example.org", "ann", "example.org", 7777),
            ("ann example.org:1234", "ann", "example.org", 1234),
            ("example.org:1234 ann", "ann", "example.org", 1234),
            ("ann [::1]:1234", "ann", "::1", 1234),
            ("ann [::1]", "ann", "::1", 7777),
            ("ann --port 1234", "ann", "127.0.0.1", 1234),
            ("--port 1234 ann --host example.org", "ann", "example.org", 1234),
            ("ann example.org -p1234", "ann", "example.org", 1234),
            ("--user send", "send", "127.0.0.1", 7777),
            ("--user send example.org", "send", "example.org", 7777),
        ):
            found = parsed(line)
            self.assertEqual((found["user"], found["host"], found["port"]), (user, host, port), line)

    def test_each_server_is_told_with_its_one_port(self) -> None:
        for line, server in (
            ("ann", "127.0.0.1:7777"),
            ("ann h:1", "h:1"),
            ("ann --host h:1", "h:1"),
            ("ann --host tls://h:1 --port 2", "h:1"),
            ("ann --host a:1,b --port 2", "a:1,b:2"),
            ("ann a,b:3", "a:7777,b:3"),
            ("ann [::1]:1", "[::1]:1"),
        ):
            self.assertEqual(parsed(line).server, server, line)

    def test_name_left_out(self) -> None:
        with patch.object(options, "getuser", return_value="joe"):
            self.assertEqual(parsed("")["user"], "joe")
            self.assertEqual(parsed("example.org:1")["user"], "joe")
        with patch.object(options, "getuser", return_value="DOMAIN\\joe"), self.assertRaises(UsageError):
            parsed("")

    def test_the_rest(self) -> None:
        found = parsed("ann --room a -r b --history 5 --json")
        self.assertEqual((found["rooms"], found["history"], found["json"]), (["a", "b"], 5, 1))
        found = parsed("ann")
        self.assertEqual((found["rooms"], found["history"], found["json"]), ([], 0, 0))

    def test_wrong(self) -> None:
        for line in (
            "a/b", "ann --port 0", "ann --port 65536", "ann --port x", "ann --history 501", "ann --history -1",
            "ann host:", "ann host:99999", "ann host:1 more:2", "ann host:1 --port 2", "ann h1 --host h2",
            "ann --room /", "ann --nonsense", "ann --port", "ann [::1", "a b c",
        ):  # fmt: skip
            with self.assertRaises(UsageError, msg=line):
                parsed(line)
        for words in ([""], ["ann", ""]):  # what a script says for a variable that is not set
            with self.assertRaisesRegex(UsageError, "is empty"):
                Options().parseOptions(words)


class Chosen(TestCase):
    """Settings: a flag wins over the file, the file over the default."""

    def setUp(self) -> None:
        self.config = Config(Path(self.enterContext(TemporaryDirectory())) / "config.toml")

    def chosen(self, line: str, kind: type[AnyOptions] = Options) -> Any:
        found = kind(self.config)
        found.parseOptions(line.split())
        return found

    def test_what_wins(self) -> None:
        self.config.begin('user = "joe"\nhost = "example.org"\nport = 99\nrooms = ["ops"]\ntheme = "light"\n')
        found = self.chosen("")
        self.assertEqual((found["user"], found["host"], found["port"]), ("joe", "example.org", 99))
        self.assertEqual((found["rooms"], found.settings.theme, found.settings.highlight), (["ops"], "light", []))
        found = self.chosen("ann 127.0.0.1:1 -r a --room b --theme mono --highlight x --highlight y")
        self.assertEqual((found["user"], found["host"], found["port"]), ("ann", "127.0.0.1", 1))
        self.assertEqual((found["rooms"], found.settings.theme), (["a", "b"], "mono"))
        self.assertEqual(found.settings.highlight, ["x", "y"])
        self.assertEqual(self.chosen("--room=").settings.rooms, [])

    def test_commands_take_the_server_alone(self) -> None:
        self.config.begin('user = "joe"\nhost = "example.org"\nport = 99\nrooms = ["ops"]\n')
        found = self.chosen("ann", TailOptions)
        self.assertEqual((found["user"], found["room"]), ("ann", "lobby"))
        self.assertEqual((found["host"], found["port"]), ("example.org", 99))
        with self.assertRaises(UsageError):
            self.chosen("", TailOptions)

    def test_whether_a_server_is_chosen(self) -> None:
        for line, chosen in (("", False), ("ann", False), ("ann -p 7777", True), ("ann h", True), ("-h h", True)):
            self.assertEqual(self.chosen(line).server_chosen, chosen, line)
        self.config.begin("port = 7777")
        self.assertTrue(self.chosen("").server_chosen)

    def test_each_setting_is_a_flag(self) -> None:
        help = " ".join(Options().getUsage().split())
        for setting in SETTINGS.values():
            self.assertIn(f"--{setting.flag}", help)
            self.assertIn(setting.help, help)
            if isinstance(setting.default, bool):
                for said, value in ((f"--{setting.flag}", True), (f"--no-{setting.flag}", False)):
                    self.assertIs(self.chosen(said).settings.value(setting.name), value)
            else:
                said = setting.choices[-1] if setting.choices else "1"
                found = self.chosen(f"--{setting.flag}={said}").settings.value(setting.name)
                self.assertEqual(found, setting.take(said))

    def test_wrong(self) -> None:
        for line, why in (
            ("--theme pink", 'theme is one of dark, light, mono, not "pink"'),
            ("--port 0", "port is a number from 1 to 65535, not 0"),
            ("--port x", 'port is a number from 1 to 65535, not "x"'),
            ("--room a/b", 'rooms cannot be "a/b": a name has letters, digits and _ - . only'),
            ("--highlight a\x1bb", 'highlight cannot be "a\\u001bb": it has a character that cannot be printed'),
        ):
            with self.assertRaises(UsageError) as caught:
                self.chosen(line)
            self.assertEqual(str(caught.exception), why)

    def test_help_and_version_need_no_file(self) -> None:
        self.config.begin("theme = ")
        for line in ("--help", "--version"):
            with self.assertRaises(SystemExit) as end, redirect_stdout(StringIO()):
                self.chosen(line)
            self.assertFalse(end.exception.code)
        with self.assertRaises(BadConfig):
            self.chosen("ann")

    def test_help_fits(self) -> None:
        for width in (40, 80):
            self.assertLessEqual(max(map(len, Options().getUsage(width).splitlines())), max(width, 50))

    def test_help_in_a_terminal_of_any_width(self) -> None:
        self.enterContext(patch.object(os, "get_terminal_size", side_effect=OSError))
        for kind in (Options, TailOptions):
            for columns, width in (("", 80), ("abc", 80), ("0", 80), ("-1", 80), ("5", 40), ("70", 70), ("999", 100)):
                with self.subTest(columns), patch.dict(os.environ, COLUMNS=columns):
                    self.assertEqual(kind().getUsage(), kind().getUsage(width))


class Commands(TestCase):
    def test_send(self) -> None:
        for line, user, room, name, files in (
            ("ann", "ann", "lobby", None, ["-"]),
            ("ann a b -", "ann", "lobby", None, ["a", "b", "-"]),
            ("ann --name x.sql -", "ann", "lobby", "x.sql", ["-"]),
            ("--name=x.sql ann", "ann", "lobby", "x.sql", ["-"]),
            ("-n x ann --room ops a -p 1", "ann", "ops", "x", ["a"]),
            ("--user send a", "send", "lobby", None, ["a"]),
            ("send -- -a", "send", "lobby", None, ["-a"]),
        ):
            found = parsed(line, SendOptions)
            self.assertEqual((found["user"], found["room"], found["name"], found["files"]), (user, room, name, files))
            self.assertEqual((found["host"], found["port"]), ("127.0.0.1", 1 if "-p" in line else 7777))

    def test_tail(self) -> None:
        found = parsed("ann", TailOptions)
        self.assertEqual((found["count"], found["follow"], found["json"]), (100, 0, 0))
        found = parsed("-n 0 ann -f --json", TailOptions)
        self.assertEqual((found["count"], found["follow"], found["json"]), (0, 1, 1))

    def test_the_server_may_stand_behind_the_rest(self) -> None:
        for line, kind, host, port in (
            ("ann example.org:1234", TailOptions, "example.org", 1234),
            ("ann example.org -f", TailOptions, "example.org", 7777),
            ("--user ann [::1]:1234", TailOptions, "::1", 1234),
            ("ann 1018 example.org:1234 -f", SaveOptions, "example.org", 1234),
        ):
            found = parsed(line, kind)
            self.assertEqual((found["user"], found["host"], found["port"]), ("ann", host, port))
        for line, kind in (
            ("ann a:1 b:1", TailOptions), ("ann a:1 -p 2", TailOptions), ("ann a:b", TailOptions),
            ("ann 1 a:1 b", SaveOptions),
        ):  # fmt: skip
            with self.assertRaises(UsageError, msg=line):
                parsed(line, kind)
        with self.assertRaises(UsageError):
            TailOptions().parseOptions(["ann", ""])

    def test_save(self) -> None:
        found = parsed("ann 1018", SaveOptions)
        self.assertEqual((found["user"], found["id"], found["output"], found["force"]), ("ann", 1018, None, 0))
        found = parsed("--user ann 1 -fo -", SaveOptions)
        self.assertEqual((found["user"], found["id"], found["output"], found["force"]), ("ann", 1, "-", 1))

    def test_wrong(self) -> None:
        for kind, line in (
            (SendOptions, ""), (SendOptions, "a/b"), (SendOptions, "ann --name a/b"), (SendOptions, "ann --room /"),
            (SendOptions, "ann --name x a b"), (SendOptions, "ann - -"), (SendOptions, "ann --json"),
            (SendOptions, "ann --port x"),
            (TailOptions, ""), (TailOptions, "ann -n 501"), (TailOptions, "ann -n x"),
            (SaveOptions, ""), (SaveOptions, "ann"), (SaveOptions, "ann x"), (SaveOptions, "ann 0"),
            (SaveOptions, "ann -- -1"), (SaveOptions, "ann " + "9" * 5000),
        ):  # fmt: skip
            with self.assertRaises(UsageError, msg=line):
                parsed(line, kind)

    def test_an_empty_name(self) -> None:
        for words in ([""], ["", "x"], ["-u", ""], ["--user", "", "x"], ["--user=", "x"]):
            with self.subTest(words), self.assertRaisesRegex(UsageError, "say under which NAME"):
                SendOptions().parseOptions(words)

    def test_values_that_look_like_flags(self) -> None:
        found = SendOptions()
        found.parseOptions(["ann", "-n", "--x", "--", "--y"])
        self.assertEqual((found["name"], found["files"]), ("--x", ["--y"]))

    def test_help_is_complete(self) -> None:
        usage = Options().getUsage()
        for kind in (SendOptions, TailOptions, SaveOptions):
            self.assertIn(kind.synopsis.removeprefix("Usage: "), usage)
            for flag in ("--host", "--port", "--user", "--room", "--help", "--version"):
                self.assertIn(flag, kind().getUsage())
            self.assertIn("--host", usage)

    def test_a_flag_that_says_no_has_a_help_of_its_own(self) -> None:
        for kind in (SendOptions, TailOptions, SaveOptions):
            usage = kind().getUsage()
            self.assertRegex(usage, "--no-tls +not --tls, though the configuration says so")
            self.assertEqual(usage.count("speak TLS"), 1)
