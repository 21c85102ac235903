"""How ``chat`` begins: what it loads, and that it can be interrupted from the first moment on."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from unittest import TestCase

import cli
from tests.processes import environment, loaded, on_a_full_disk, unread
from tests.terminal import Terminal

# Runs `chat` and presses Ctrl-C when the nth module is asked for that is loaded after `cli.main`.
INTERRUPTED = """
import os, signal, sys
if sys.argv.pop(1) == "deaf":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
from cli.main import main
left = int(sys.argv.pop(1))
def count(event, arguments):
    global left
    if event == "import":
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGINT)
sys.addaudithook(count)
main()
"""


def interrupted(nth: int, deaf: str = "") -> list[str]:
    return [sys.executable, "-c", INTERRUPTED, deaf, str(nth), "ann", "--port", "1"]


class Interrupted(TestCase):
    def test_while_the_screen_is_being_loaded(self) -> None:
        for nth in (1, 2, 5, 20, 60, 150, 300, 450):
            with self.subTest(nth), Terminal(interrupted(nth)) as terminal:
                self.assertEqual(terminal.wait_exit(), 130)
                self.assertEqual(terminal.output, b"")
                self.assertTrue(terminal.restored)

    def test_while_the_filter_is_being_loaded(self) -> None:
        with tempfile.TemporaryDirectory() as home:
            for nth in (1, 40, 200):
                with self.subTest(nth):
                    ended = subprocess.run(
                        interrupted(nth),
                        env=environment() | dict.fromkeys(("HOME", "XDG_CONFIG_HOME"), home),
                        capture_output=True,
                    )
                    self.assertEqual((ended.returncode, ended.stdout, ended.stderr), (130, b"", b""))

    def test_when_it_runs_the_terminal_is_given_back(self) -> None:
        with Terminal(interrupted(-1)) as terminal:
            terminal.wait_for("next try in")
            self.assertIn("127.0.0.1:1: Connection refused", terminal.text)
            terminal.process.send_signal(signal.SIGINT)
            self.assertEqual(terminal.wait_exit(), 0)
            self.assertTrue(terminal.restored)

    def test_who_started_it_may_have_ctrl_c_ignored(self) -> None:
        with Terminal(interrupted(20, "deaf")) as terminal:
            terminal.wait_for("next try in")
            terminal.process.send_signal(signal.SIGINT)
            terminal.type("/quit\r")
            self.assertEqual(terminal.wait_exit(), 0)


class Help(TestCase):
    def test_who_pages_through_it_may_have_read_enough(self) -> None:
        for words in (["--help"], ["--version"], ["send", "--help"]):
            with self.subTest(words):
                self.assertEqual(unread([sys.executable, "-c", "from cli.main import main; main()", *words]), (0, ""))

    def test_to_read_the_flags_writes_nothing(self) -> None:
        code = "import os; from cli.asked import asked; asked(['tail', 'ann']); os._exit(0)"
        self.assertEqual(on_a_full_disk([sys.executable, "-c", code]), (0, ""))

    def test_where_there_is_no_room_for_it(self) -> None:
        for words in (["--help"], ["--version"], ["send", "--help"]):
            with self.subTest(words):
                status, errors = on_a_full_disk([sys.executable, "-c", "from cli.main import main; main()", *words])
                self.assertEqual((status, errors), (1, "chat: standard output: No space left on device\n"))


class Loaded(TestCase):
    def test_what_takes_time_is_loaded_when_ctrl_c_is_seen_to(self) -> None:
        ours = {name for name in loaded("import cli.main") if name.partition(".")[0] == "cli"}
        self.assertEqual(ours, {"cli", "cli.main", "cli.interrupt"})
        self.assertFalse({"twisted", "urwid", "msgspec", "asyncio"} & loaded("import cli.main"))

    def test_the_screen_does_without_what_few_need(self) -> None:
        modules = loaded("import cli.on_screen")
        self.assertIn("cli.screen.talk", modules)
        self.assertFalse({"curses", "tomlkit", "tqdm", "cli.pipe", "cli.commands"} & modules)

    def test_what_is_offered_to_programs_is_there(self) -> None:
        for name in cli.__all__:
            self.assertTrue(callable(getattr(cli, name)), name)
        with self.assertRaises(AttributeError):
            cli.nothing  # noqa: B018
