"""``/set``, ``/bind`` and ``/help``, and that they agree with everything else that tells what there is."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import wrap
from typing import Any
from unittest import TestCase

from cli.config import BadConfig, Config
from cli.options import Options
from cli.screen.choices import Choices
from cli.screen.commands import ELSEWHERE, Commands
from cli.screen.help import Help
from cli.screen.keynames import read, shown
from cli.screen.keys import Keys
from cli.screen.row import text_width
from cli.screen.told import SERVER, overview, setting_help, template
from cli.settings import SETTINGS, Settings
from server.orders.running import ORDERS
from tests.cli.screen.made import offered
from tests.processes import ROOT, ServerProcess
from tests.terminal import Terminal
from tools.guide import GUIDE, talk, with_tables


class Told:
    """What of a talk the choices need: it keeps what is said."""

    def __init__(self) -> None:
        self.settings, self.keys, self.commands = Settings(), Keys(), Commands()
        self.said: list[str] = []
        self.done: list[str] = []
        self.keys.add("next-room", lambda: self.done.append("next"), "go on", "ctrl n")
        self.keys.add("delete", lambda: self.done.append("delete"), "delete a character", "delete")
        self.commands.add("join", self.done.append, "be in a room", "ROOM")

    def say(self, text: str) -> None:
        self.said.append(text)


class ChoicesCase(TestCase):
    def setUp(self) -> None:
        self.config = Config(Path(self.enterContext(TemporaryDirectory())) / "new" / "config.toml")
        self.talk = self.start()

    def start(self) -> Told:
        talk: Any = Told()
        for name, value in self.config.chosen().items():
            talk.settings.change(name, value)
        Help(talk)
        Choices(talk, self.config)
        return talk  # type: ignore[no-any-return]

    def do(self, line: str) -> str:
        """Return what is said when ``line`` is typed."""
        self.talk.said.clear()
        name, _, rest = line.removeprefix("/").partition(" ")
        command = self.talk.commands.get(name)
        assert command is not None
        command.run(rest)
        return "\n".join(self.talk.said)


class Completed(ChoicesCase):
    """What Tab offers behind a command."""

    def test_names_and_what_they_may_be(self) -> None:
        for line, found in (
            ("set the", ["theme "]),
            ("set paste_l", ["paste-lines "]),
            ("set theme l", ["theme light"]),
            ("set bell ", ["bell true", "bell false", "bell --default"]),
            ("set nothing t", []),
            ("bind ctrl-t ne", ["ctrl-t next-room"]),
            ("help the", ["theme"]),
            ("help unb", ["unbind"]),
        ):
            with self.subTest(line):
                self.assertEqual(offered(self.talk.commands, line), found)


class Setting(ChoicesCase):
    def test_the_first_start_writes_a_file_that_chooses_nothing(self) -> None:
        self.assertIn("tells all that you can choose", self.talk.said[0])
        self.assertEqual((self.config.chosen(), self.config.bindings()), ({}, {}))
        self.assertEqual(self.start().said, [])

    def test_it_counts_at_once_and_from_then_on(self) -> None:
        told: list[str] = []
        self.talk.settings.watch("theme", lambda: told.append(self.talk.settings.theme))
        self.assertEqual(self.do("/set theme light"), 'theme = "light"')
        self.assertEqual((self.talk.settings.theme, told), ("light", ["light"]))
        self.assertEqual(self.do("/set highlight a 'b c'"), 'highlight = ["a", "b c"]')
        self.assertEqual(self.do("/set port 99"), "port = 99 from the next start on")
        again = self.start().settings
        self.assertEqual((again.theme, again.highlight, again.port), ("light", ["a", "b c"], 99))
        self.assertEqual(self.do("/set theme --default"), 'theme = "dark"')
        self.assertEqual(self.config.chosen(), {"highlight": ["a", "b c"], "port": 99})

    def test_what_is_in_the_file_stays(self) -> None:
        before = self.config.path.read_text()
        self.do("/set theme light")
        self.assertEqual(self.config.path.read_text(), before.replace('# theme = "dark"', 'theme = "light"'))
        self.do("/set theme dark")
        self.assertEqual(self.config.path.read_text(), before)

    def test_it_is_told(self) -> None:
        self.do("/set theme light")
        listed = self.do("/set")
        for setting in SETTINGS.values():
            self.assertIn(f" {setting.name} = ", listed)
        self.assertIn('* theme = "light"\n', listed)
        self.assertIn("\n  port = 7777\n", listed)
        self.assertEqual(
            self.do("/set theme"), 'theme = "light" (the default is "dark")\ncolours (dark, light or mono)'
        )
        self.assertEqual(self.do("/help port").splitlines()[0], "port = 7777 (the default)")

    def test_wrong(self) -> None:
        before = self.config.path.read_text()
        self.assertEqual(self.do("/set theme pink"), 'theme is one of dark, light, mono, not "pink"')
        self.assertEqual(self.do("/set themes x"), "there is no setting themes; do you mean theme?")
        self.assertEqual(self.do("/set zzz"), "there is no setting zzz; chat --help and /set list them")
        self.assertEqual((self.talk.settings, self.config.path.read_text()), (Settings(), before))

    def test_where_nothing_can_be_kept(self) -> None:
        self.config.path.unlink()
        self.config.path.symlink_to("/proc/nowhere/config.toml")
        self.talk = self.start()
        self.assertIn("cannot be kept in", self.talk.said[0])
        self.assertIn("\nthis is not kept in", self.do("/set theme light"))
        self.assertEqual(self.talk.settings.theme, "light")

    def test_a_file_that_was_broken_meanwhile_is_left_alone(self) -> None:
        self.config.path.write_text("theme = ")
        self.assertIn("\nthis is not kept: ", self.do("/set theme light"))
        self.assertEqual((self.talk.settings.theme, self.config.path.read_text()), ("light", "theme = "))


class Binding(ChoicesCase):
    def test_it_counts_at_once_and_from_then_on(self) -> None:
        self.assertEqual(self.do("/bind M-j /join ops"), "alt-j = /join ops: be in a room")
        self.assertEqual(self.do("/bind C-x C-e next-room"), "ctrl-x ctrl-e = next-room: go on")
        self.assertEqual(self.do("/unbind ctrl-n"), "ctrl-n does nothing")
        self.assertEqual(self.config.bindings(), {"alt-j": "/join ops", "ctrl-x ctrl-e": "next-room", "ctrl-n": ""})
        for run in (self.talk, self.start()):
            for key in ("meta j", "ctrl n", "ctrl x", "ctrl e"):
                run.keys.press(key)
            self.assertEqual(run.done, ["ops", "next"])

    def test_back(self) -> None:
        before = self.config.path.read_text()
        self.do("/bind ctrl-n delete")
        self.do("/bind alt-j /join ops")
        self.assertEqual(self.do("/bind ctrl-n --default"), "ctrl-n = next-room: go on")
        self.assertEqual(self.do("/bind alt-j --default"), "alt-j does nothing")
        self.assertEqual(self.config.bindings(), {})
        self.do("/bind ctrl-n delete")
        self.do("/bind ctrl-n next-room")
        self.assertEqual(self.config.bindings(), {})
        self.assertEqual(len(self.config.path.read_text().splitlines()), len(before.splitlines()) - 1)

    def test_however_it_is_written(self) -> None:
        self.config.path.write_text('[keys]\n"C-n" = "delete"  # mine\n')
        self.talk = self.start()
        self.do("/bind ctrl-n /join ops")
        self.assertEqual(self.config.path.read_text(), '[keys]\n"C-n" = "/join ops"  # mine\n')

    def test_it_is_told(self) -> None:
        self.assertEqual(self.do("/bind ctrl-n"), "ctrl-n = next-room: go on")
        self.assertEqual(self.do("/bind ctrl-x ctrl-e"), "ctrl-x ctrl-e does nothing")
        self.do("/bind alt-j /join ops")
        for line in ("/keys", "/help keys"):
            listed = self.do(line)
            self.assertIn("ctrl-n               go on (next-room)\n", listed)
            self.assertIn("alt-j                /join ops\n", listed)
        self.assertEqual(self.do("/help alt-j"), "alt-j = /join ops: be in a room")

    def test_wrong(self) -> None:
        for line, why in (
            ("/bind", "say which key: ctrl-n, alt-enter"),
            ("/bind x next-room", "x is for typing; bind a key like alt-x"),
            ("/bind ctrl-n next-rom", "there is no next-rom; do you mean next-room?"),
            ("/bind ctrl-n /foo", "there is no /foo; /help tells which commands there are"),
            ("/bind ctrl-n ctrl-x next-room", "ctrl-n is bound too, and one begins the other; /unbind ctrl-n first"),
            ("/unbind ctrl-foo", "there is no key foo; write ctrl-n or alt-enter"),
        ):
            self.assertEqual(self.do(line), why)
        self.assertEqual(self.config.bindings(), {})

    def test_wrong_in_the_file(self) -> None:
        for text, why in (
            ('[keys]\n\nctrl-n = "next-rom"', "line 3: there is no next-rom; do you mean next-room?"),
            ('[keys]\nctrl-n = "/foo"', "line 2: there is no /foo; /help tells which commands there are"),
            ('[keys]\n"a" = "delete"', "line 2: a is for typing; bind a key like alt-a"),
            (
                '[keys]\ntheme = "light"',
                "line 2: there is no key theme; ",
            ),
        ):
            self.config.path.write_text(text)
            with self.assertRaises(BadConfig) as caught:
                self.start()
            self.assertTrue(str(caught.exception).startswith(f"{self.config.path}, {why}"), str(caught.exception))

    def test_what_stood_in_the_way_may_be_taken_away_in_any_order(self) -> None:
        self.config.path.write_text('[keys]\n"ctrl-n x" = "delete"\n"ctrl-n" = ""\n')
        keys = self.start().keys
        self.assertEqual([keys.press(key) for key in ("ctrl n", "x")], [True, True])


class Agreement(TestCase):
    """The program as it is: what is told in one place is told in the others."""

    def setUp(self) -> None:
        self.talk: Any = talk()
        self.help = Help(self.talk)

    def test_each_command_is_in_the_overview_and_has_help(self) -> None:
        briefs, names = overview(self.talk.commands, 60), overview(self.talk.commands, 27)
        named = ("help", "keys", "ignore", "unignore", "bind", "unbind")  # without what they take
        for command in self.talk.commands:
            self.assertIn(f"/{command.name}", names.split())
            if command.subject == SERVER or command.name in named:
                self.assertIn(f"/{command.name}", briefs.split())
            else:
                self.assertIn(f"{command.usage} ", briefs)
            if command.name not in ("keys", "help"):
                self.assertIn(command.help, self.help.on(command.name))

    def test_what_other_clients_call_a_command_is_known(self) -> None:
        self.assertEqual([self.talk.commands.nearest(name) for name in ("part", "query")], ["leave", "msg"])
        for name, ours in ELSEWHERE.items():
            self.assertIsNone(self.talk.commands.get(name))
            self.assertIsNotNone(self.talk.commands.get(ours))

    def test_the_overview_fits_a_screen_with_all_that_the_server_has(self) -> None:
        for order in ORDERS.values():
            if order.name != "help":
                self.talk.commands.add(order.name, print, order.help, subject=SERVER)
        self.assert_the_overview_fits(80, 20)  # and leaves room for what is asked

    def test_the_overview_fits_a_small_screen(self) -> None:
        for screen, rows in ((80, 22), (74, 22), (60, 8), (40, 8)):
            self.assert_the_overview_fits(screen, rows)

    def assert_the_overview_fits(self, screen: int, rows: int) -> None:
        width = text_width(screen)
        lines = [part for line in overview(self.talk.commands, width).splitlines() for part in wrap(line, width)]
        self.assertLessEqual(len(lines), rows, "\n".join(lines))

    def test_each_setting_is_told_everywhere(self) -> None:
        flags = " ".join(Options().getUsage().split())
        for setting in SETTINGS.values():
            for text in (flags, setting_help(), " ".join(template(self.talk.keys).replace("\n# ", " ").split())):
                self.assertIn(setting.about, text)

    def test_keys(self) -> None:
        listed = self.help.on("keys")
        taken: dict[str, str] = {}
        for action in self.talk.keys:
            self.assertIn(f"{action.help} ({action.name})", listed)
            for keys in action.keys:
                self.assertEqual(read(shown(keys)), keys, "it can be written as it is shown")
                self.assertNotIn(keys, taken, f"{action.name} and {taken.get(keys)}")
                self.assertNotRegex(keys, r"\bf[0-9]", "it needs no key that a terminal may take for itself")
                taken[keys] = action.name

    def test_a_new_file_explains_all_and_chooses_nothing(self) -> None:
        text = template(self.talk.keys)
        self.assertEqual(tomllib.loads(text), {"keys": {}})
        chosen = "\n".join(line[2:] for line in text.splitlines() if line.startswith("# ") and " = " in line[:40])
        for line in chosen.splitlines():
            tomllib.loads(line)
            if line.startswith('"'):
                self.assertIn(read(line.split('"')[1]), self.talk.keys.get(line.split('"')[3]).keys)

    def test_the_guide_tells_the_same(self) -> None:
        text = GUIDE.read_text()
        self.assertEqual(with_tables(text, self.talk), text, "make guide")
        self.assertEqual(text.count("<!-- end -->"), 3)


class Running(TestCase):
    def test_over_two_runs(self) -> None:
        with ServerProcess() as server, TemporaryDirectory() as home:
            command = [sys.executable, str(ROOT / "cmd" / "cli"), "ann", "--port", str(server.port)]
            env = {"HOME": home, "XDG_CONFIG_HOME": f"{home}/c", "XDG_STATE_HOME": f"{home}/s"}
            with Terminal(command, env=env) as ann:
                ann.wait_for("console-chat/config.toml")
                ann.type("/set highlight deploy\r/bind alt-q /quit\r/unbind ctrl-c\r")
                ann.wait_for("ctrl-c does nothing")
                ann.type("\x03/set theme\r")
                ann.wait_for('theme = "dark" (the default)')
                ann.type("\x1bq")
                self.assertEqual(ann.wait_exit(), 0)
            with Terminal([*command, "--theme", "light"], env=env) as ann:
                ann.wait_for("live")
                ann.type("\x03/set\r")
                ann.wait_for('* highlight = ["deploy"]')
                ann.wait_for('* theme = "light"')
                ann.type("\x1bq")
                self.assertEqual(ann.wait_exit(), 0)
            file = Path(home, "c", "console-chat", "config.toml")
            self.assertIn('# theme = "dark"', file.read_text())
            with Terminal([sys.executable, str(ROOT / "cmd" / "cli"), "ann"], env=env) as ann:  # where it was last time
                ann.wait_for("live")
                ann.type("\x1bq")
                self.assertEqual(ann.wait_exit(), 0)
            file.write_text(file.read_text() + '"ctrl-o" = "nothing-like-it"\n')
            with Terminal(command, env=env) as ann:
                self.assertEqual(ann.wait_exit(), 1)
                self.assertRegex(ann.text.replace("\n", ""), r"^chat: \S+config.toml, line [0-9]+: there is no nothing")
