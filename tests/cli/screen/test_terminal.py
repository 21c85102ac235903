"""The terminal by itself: taken and given back, stopped and lent, of every kind."""

from __future__ import annotations

import shlex
import signal
import sys
from unittest import TestCase

from tests.terminal import Terminal

BARE = (sys.executable, "-m", "tests.cli.screen.bare")
ASK = ("sh", "-c", 'printf "say: "; read said; echo "$said"; exit 3')


class Taken(TestCase):
    """With both screens."""

    def open(self, screen: str = "raw", *command: str, **env: str) -> Terminal:
        terminal = Terminal([*BARE, screen, *command], env=env)
        self.enterContext(terminal)
        terminal.wait_for("80x24")
        return terminal

    def end(self, terminal: Terminal) -> None:
        terminal.type("q")
        self.assertEqual(terminal.wait_exit(), 0)
        self.assertTrue(terminal.restored)

    def test_shows_and_takes_the_same(self) -> None:
        for screen in ("raw", "curses"):
            with self.subTest(screen):
                terminal = self.open(screen)
                terminal.wait_for("é 谢谢")
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

    def test_lent_to_nobody(self) -> None:
        terminal = self.open("raw", "no-such-program")
        terminal.type("l")
        terminal.wait_for("there is no program no-such-program")
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
                terminal.type(f"{shlex.join([*BARE, screen, *ASK])}\n")
                terminal.wait_for("80x24")
                terminal.type("\x1a")
                terminal.wait_for(lambda: terminal.text.rstrip().endswith("ready$"))
                self.assertIn("Stopped", terminal.text)
                self.assertFalse(any(map(terminal.has, ("1049", "1000"))))  # the shell marks pastes too
                terminal.resize(50, 12)
                terminal.type("fg\n")
                terminal.wait_for("50x12")
                self.assertTrue(all(map(terminal.has, ("1049", "2004", "1000"))))
                terminal.type("l")  # who has borrowed it stops with us, and goes on with us
                terminal.wait_for("say:")
                terminal.type("\x1a")
                terminal.wait_for(lambda: terminal.text.rstrip().endswith("ready$"))
                terminal.type("fg\n")
                terminal.wait_for(lambda: terminal.text.rstrip().endswith("exit 3'"))
                terminal.type("anything\n")
                terminal.wait_for("status 3")
                terminal.type("q")
                terminal.wait_for(lambda: terminal.text.rstrip().endswith("ready$"))

    def test_continued_after_a_stop_that_it_did_not_see(self) -> None:
        terminal = self.open()
        terminal.process.send_signal(signal.SIGSTOP)
        drawn = len(terminal.output)
        terminal.process.send_signal(signal.SIGCONT)
        terminal.wait_for(lambda: b"dark gray" in terminal.output[drawn:])

    def test_an_error_in_a_key(self) -> None:
        for screen in ("raw", "curses"):
            with self.subTest(screen):
                terminal = self.open(screen)
                terminal.type("r")
                self.assertEqual(terminal.wait_exit(), 1)
                self.assertTrue(terminal.restored)

    def test_bell_and_notification(self) -> None:
        for env, sent in (
            ({}, b"\x1b]777;notify;chat;ann: \xe2\x90\x9b]0,x\xe2\x90\x87,hi\x07\x1b]9;chat: 9\x07"),
            ({"TERM": "tmux-256color", "TMUX": "x"}, b"\x1bPtmux;\x1b\x1b]9;chat: 9\x07\x1b\\"),
            ({"TERM": "screen", "STY": "x", "TMUX": ""}, b"\x1bP\x1b]9;chat: 9\x07\x1b\\"),
        ):
            with self.subTest(env):
                terminal = self.open(**{"TMUX": "", "STY": "", **env})
                terminal.type("n")
                terminal.wait_for(" n")
                self.assertIn(sent, terminal.output)
                rings = terminal.output.count(b"\x07")
                terminal.type("b")
                terminal.wait_for(" b")
                self.assertEqual(terminal.output.count(b"\x07"), rings + 1)

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
