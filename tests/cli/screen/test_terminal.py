"""The terminal by itself: taken and given back, stopped and lent, of every kind."""

from __future__ import annotations

import shlex
import signal
import sys
import tempfile
from pathlib import Path
from unittest import TestCase

from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from cli.screen.abilities import lacks, passed_on, takes_osc
from cli.screen.terminal import TerminalGone, _Bytes
from tests.processes import ROOT
from tests.terminal import Terminal

ALONE = (sys.executable, str(Path(__file__).with_name("alone.py")))
ASK = ("sh", "-c", 'printf "say: "; read said; echo "$said"; exit 3')


class Gone(TestCase):
    def test_a_terminal_that_hung_up_before_its_signal_came(self) -> None:
        told: list[Failure] = []
        _Bytes(lambda _: None, told.append).connectionLost(Failure(ConnectionDone()))
        [why] = told
        self.assertTrue(why.check(TerminalGone))
        self.assertEqual(why.getErrorMessage(), "it hung up")


class Taken(TestCase):
    """With both screens."""

    def open(self, screen: str = "raw", *command: str, **env: str) -> Terminal:
        terminal = Terminal([*ALONE, screen, *command], env=env)
        self.enterContext(terminal)
        terminal.wait_for("é 谢谢")  # the last row of the drawing
        self.assertIn("80x24", terminal.text)
        return terminal

    def end(self, terminal: Terminal) -> None:
        terminal.type("q")
        self.assertEqual(terminal.wait_exit(), 0)
        self.assertTrue(terminal.restored)

    def test_shows_and_takes_the_same(self) -> None:
        for screen in ("raw", "curses"):
            with self.subTest(screen):
                terminal = self.open(screen)
                self.assertEqual(terminal.colour("dark green"), "green")
                self.assertIn(terminal.colour("light red"), ("brightred", "red"))
                self.assertTrue(terminal.has("2004") and terminal.has("1006"))
                for keys, came in (
                    ("ab", "ab"),
                    ("\x1b[5~", "page up"),
                    ("\x1bx", "meta x"),
                    ("\x03", "ctrl c"),
                    ("ä谢", "ä谢"),
                    ("\x1b", "esc"),
                    ("\x1b[<0;3;4M", "mouse press-1-2-3"),
                    ("\x1b[<64;1;1M", "mouse press-4-0-0"),
                    ("\x1b[200~p\rq\x1b[201~", "p\nq"),
                ):
                    terminal.type(keys)
                    terminal.wait_for(f" {came}")
                terminal.resize(40, 10)
                terminal.wait_for("40x10")
                self.end(terminal)

    def test_typed_before_it_is_taken(self) -> None:
        for screen in ("raw", "curses"):
            with self.subTest(screen):
                terminal = Terminal([*ALONE, screen])
                self.enterContext(terminal)
                terminal.type("hi\rq")
                self.assertEqual(terminal.wait_exit(), 0)
                self.assertTrue(terminal.restored)

    def test_lent(self) -> None:
        for screen in ("raw", "curses"):
            with self.subTest(screen):
                terminal = self.open(screen, *ASK)
                terminal.type("l")
                terminal.wait_for("say:")
                self.assertFalse(any(map(terminal.has, ("1049", "2004", "1000"))))
                terminal.resize(60, 20)
                terminal.type("something\n")
                terminal.wait_for("status 3")
                self.assertIn("60x20", terminal.text)
                self.assertTrue(all(map(terminal.has, ("1049", "2004", "1000"))))
                terminal.type("l")
                terminal.wait_for("say:")
                terminal.type("\x03")  # is for the other program
                terminal.wait_for("status 130")
                self.end(terminal)

    def test_cannot_be_lent(self) -> None:
        terminal = self.open("raw", "true")
        terminal.type("f")
        terminal.wait_for("no more processes")
        self.assertTrue(all(map(terminal.has, ("1049", "2004", "1000"))))
        terminal.process.send_signal(signal.SIGINT)  # is for us again
        terminal.wait_exit()
        self.assertTrue(terminal.restored)

    def test_an_encoding_that_cannot_say_it(self) -> None:
        terminal = Terminal([*ALONE, "raw"], env={"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"})
        self.enterContext(terminal)
        terminal.wait_for("80x24")
        terminal.type("n")
        terminal.wait_for(" n")
        self.assertIn(b"\x1b]777;notify;chat;ann: ?]0,x?,hi\x07", terminal.output)
        self.end(terminal)

    def test_ended_while_lent(self) -> None:
        terminal = self.open("raw", "sh", "-c", "trap 'echo ended; exit' TERM; echo begun; while :; do read x; done")
        terminal.type("l")
        terminal.wait_for("begun")
        terminal.process.send_signal(signal.SIGTERM)
        terminal.wait_exit()
        terminal.wait_for("ended")
        self.assertTrue(terminal.restored)

    def test_suspended(self) -> None:
        for screen in ("raw", "curses"):
            with self.subTest(screen), Terminal(["bash", "--norc", "-i"], env={"PS1": "ready$ "}) as terminal:
                terminal.wait_for("ready$")
                terminal.type(f"{shlex.join([*ALONE, screen, *ASK])}\n")
                terminal.wait_for("é 谢谢")
                terminal.type("\x1a")
                terminal.wait_for(lambda: terminal.text.rstrip().endswith("ready$"))
                self.assertIn("Stopped", terminal.text)
                self.assertFalse(any(map(terminal.has, ("1049", "1000"))))  # the shell marks pastes too
                terminal.resize(50, 12)
                terminal.type(" fg\n")
                terminal.wait_for("50x12")
                self.assertTrue(all(map(terminal.has, ("1049", "2004", "1000"))))
                terminal.type("l")  # who has borrowed it stops with us, and goes on with us
                terminal.wait_for("say:")
                terminal.type("\x1a")
                terminal.wait_for(lambda: terminal.text.rstrip().endswith("ready$"))
                terminal.type(" fg\n")  # a program that is only about to stop may still take the first character
                terminal.wait_for(lambda: terminal.text.rstrip().endswith("exit 3'"))
                terminal.type("anything\n")
                terminal.wait_for("status 3")
                terminal.type("q")
                terminal.wait_for(lambda: terminal.text.rstrip().endswith("ready$"))

    def test_an_error_in_a_key(self) -> None:
        for screen in ("raw", "curses"):
            with self.subTest(screen):
                terminal = self.open(screen)
                terminal.type("\x1b[" if screen == "raw" else "r")
                self.assertEqual(terminal.wait_exit(), 1)
                self.assertTrue(terminal.restored)

    def test_bell_notification_nobody_to_lend_to_and_a_stop_that_it_did_not_see(self) -> None:
        terminal = self.open("raw", "no-such-program", TMUX="", STY="")
        terminal.type("n")
        terminal.wait_for(" n")
        sent = "\x1b]777;notify;chat;ann: ␛]0,x␇,hi\x07\x1b]9;chat: 9\x07"
        self.assertIn(sent.encode(), terminal.output)
        rings = terminal.output.count(b"\x07")
        terminal.type("b")
        terminal.wait_for(" b")
        self.assertEqual(terminal.output.count(b"\x07"), rings + 1)

        terminal.type("l")
        terminal.wait_for("there is no program no-such-program")

        terminal.process.send_signal(signal.SIGSTOP)
        drawn = len(terminal.output)
        terminal.process.send_signal(signal.SIGCONT)
        terminal.wait_for(lambda: b"dark gray" in terminal.output[drawn:])
        self.end(terminal)

    def test_old_terminals_are_sent_nothing_that_they_show(self) -> None:
        for term in ("vt100", "linux"):
            with self.subTest(term):
                terminal = self.open(TERM=term)
                terminal.type("n")
                terminal.wait_for(" n")
                for sequence in (b"\x1b]", b"$p", b"?2004", b"?1000", b"?1006", b"\x07"):
                    self.assertNotIn(sequence, terminal.output)
                self.assertEqual(terminal.colour("light red") == "default", term == "vt100")
                self.end(terminal)


class NotTaken(TestCase):
    def test_a_terminal_that_cannot_show_it(self) -> None:
        with tempfile.TemporaryDirectory() as home:
            chat = [sys.executable, str(ROOT / "cmd" / "cli"), "ann", "--port", "1"]
            with Terminal(chat, env={"TERM": "dumb", "HOME": home, "XDG_CONFIG_HOME": home}) as terminal:
                self.assertEqual(terminal.wait_exit(), 1)
                self.assertTrue(terminal.output.startswith(b"chat: this terminal (TERM=dumb) cannot move its cursor"))
                self.assertNotIn(b"\x1b", terminal.output)

    def test_what_terminals_lack(self) -> None:
        for term, screen, why in (
            ("unknown", "raw", "cannot move"),
            ("never-heard-of", "raw", ""),
            ("", "raw", ""),
            ("never-heard-of", "curses", "curses knows no terminal TERM=never-heard-of"),
        ):
            with self.subTest(f"{term} {screen}"):
                self.assertIn(why, lacks(term, screen))
                self.assertEqual(bool(why), bool(lacks(term, screen)))

    def test_what_is_passed_on(self) -> None:
        for environ, sent in (
            ({}, "\x1b]9;a\x07"),
            ({"TMUX": "x"}, "\x1bPtmux;\x1b\x1b]9;a\x07\x1b\\"),
            ({"STY": "x"}, "\x1bP\x1b]9;a\x07\x1b\\"),
            ({"STY": "x", "TMUX": "x"}, ""),
        ):
            self.assertEqual(passed_on("\x1b]9;a\x07", environ), sent)

    def test_who_takes_an_osc(self) -> None:
        for term in (
            "xterm",
            "xterm-kitty",
            "screen.xterm-256color",
            "tmux-256color",
            "rxvt-unicode",
            "foot",
            "st-256color",
        ):
            self.assertTrue(takes_osc(term), term)
        for term in ("vt100", "linux", "ansi", "fbterm", "best", "dumb", ""):
            self.assertFalse(takes_osc(term), term)
