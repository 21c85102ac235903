"""Reading in a terminal, with a real server: back through all of it, to what was missed, found or is long."""

from __future__ import annotations

import re
import sys
import tempfile
from functools import partial
from pathlib import Path
from unittest import TestCase

from tests.plain_client import PlainClient
from tests.processes import ROOT, ServerProcess
from tests.terminal import Terminal

PAGE_UP = "\x1b[5~"
WHEEL_UP = "\x1b[<64;5;5M"


class Reading(TestCase):
    def setUp(self) -> None:
        self.server = self.enterContext(ServerProcess())
        self.home = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.bob = self.server.connect()
        self.addCleanup(self.bob.close)
        self.bob.login("bob", rooms={"lobby": None, "dev": None})

    def open(self, *flags: str, columns: int = 80, rows: int = 24, **env: str) -> Terminal:
        command = [sys.executable, str(ROOT / "cmd" / "cli"), "ann", "--port", str(self.server.port), *flags]
        home = {name: str(self.home) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")}
        terminal = self.enterContext(Terminal(command, columns, rows, env={**home, **env}))
        terminal.wait_for("live")
        return terminal

    def test_back_to_the_beginning_while_others_talk(self) -> None:
        said(self.bob, *(f"line {number}." for number in range(700)))
        ann = self.open(rows=40)
        ann.wait_for("line 699.")
        seen = set(numbers(ann))
        for press in range(60):
            if "lobby begins here" in ann.text:
                break
            before = ann.lines
            ann.type(PAGE_UP if press % 3 else WHEEL_UP)
            ann.wait_for(partial(self.moved, ann, before))
            seen.update(numbers(ann))
            if press == 3:
                said(self.bob, *(f"new {number}." for number in range(12)))
                rows = ann.lines[:-2]
                ann.wait_for("↓ 12 new")
                self.assertEqual(ann.lines[:-2], rows)
        self.assertEqual(seen, set(range(700)))
        ann.type("\x1b[F")
        ann.wait_for(lambda: "new 11." in ann.text and "↓" not in ann.text)

        # What was found is shown in its place, older and newer.
        said(self.bob, "a needle in lobby", *(f"more {number}." for number in range(30)), "another needle")
        ann.wait_for("another needle")
        ann.type("/search line 77\r")
        ann.wait_for("hit 1 of 7 for line 77")
        ann.wait_for("line 677.")
        ann.type("/search needle\r")
        ann.wait_for("hit 1 of 2 for needle")
        ann.type("n")
        ann.wait_for("hit 2 of 2 for needle")
        ann.wait_for("a needle in lobby")
        ann.type("N")
        ann.wait_for("hit 1 of 2 for needle")
        ann.type("no")
        ann.wait_for("> no")
        self.assertNotIn("hit", ann.lines[-2])
        ann.type("\x1b[1;3H")  # Alt-Home
        ann.wait_for(lambda: "lobby begins here" in ann.text and "line 9." in ann.text)

    def test_what_was_missed(self) -> None:
        ann = self.open("--room", "lobby", "--room", "dev")
        for number in range(150):
            said(self.bob, f"for ann {number}." if number in (20, 60) else f"line {number}.", room="dev")
        ann.wait_for("2:dev(2! 150)")
        ann.type("\x0e")  # Ctrl-N
        ann.wait_for("line 149.")
        ann.type("\x1bu")
        ann.wait_for("── unread ──")
        self.assertIn("line 0.", ann.text)
        ann.type("\x1b[F\x1bp")
        ann.wait_for("for ann 60.")
        ann.type("\x1bp")
        ann.wait_for("for ann 20.")
        ann.type("\x1bn")
        ann.wait_for("for ann 60.")
        ann.type("\x0e\x0e\x1bu")
        ann.wait_for("nothing came here since you were here last")

    def test_a_long_text_in_the_pager(self) -> None:
        pager = self.home / "pager"
        pager.write_text(
            f'cp -p "$1" {self.home}/kept; ls -l "$1" > {self.home}/modes\n'
            'echo "secure $LESSSECURE, $(wc -c < "$1") bytes"; read key\n'
        )
        ann = self.open(PAGER=f"sh '{pager}'")
        ann.type("\x1bo")
        ann.wait_for("no long text is in view")
        text = "some words " * 10_000 + "\x1b]0;title\x07"
        ann.type(f"\x1b[200~{text}\x1b[201~\r")
        ann.wait_for("in all: Alt-O or /open 1 reads it, /save 1")
        ann.type("\x1bo")
        ann.wait_for("secure 1, 110")
        said(self.bob, "meanwhile")
        ann.type("\r")
        ann.wait_for("bob meanwhile")
        self.assertEqual((self.home / "kept").read_text(), "some words " * 10_000 + "\u241b]0;title\u2407")
        self.assertTrue((self.home / "modes").read_text().startswith("-rw------- "))
        ann.type("/open 99\r")
        ann.wait_for("message 99 is not there to be read: ")
        said(self.bob, "row\n" * 60)  # comes whole, and is shown in part
        ann.wait_for("240 bytes in all: Alt-O or /open 3 reads it, /save 3")
        ann.type("\x1bo")
        ann.wait_for("secure 1, 240 bytes")
        ann.type("\r")
        self.assertEqual(list(Path(tempfile.gettempdir()).glob("chat-*/message-1.txt")), [])

    def test_no_pager(self) -> None:
        ann = self.open(PAGER="no-such-pager -x")
        said(self.bob, "hello")
        ann.type("/open 1\r")
        ann.wait_for("there is no program no-such-pager to page with")

    def moved(self, ann: Terminal, before: list[str]) -> bool:
        """Return whether the screen is another one, and full: numbers in order, none twice and none left out."""
        shown = numbers(ann)
        full = len(shown) == len(ann.lines) - 2 or "lobby begins here" in ann.text
        return ann.lines[:-2] != before[:-2] and full and shown == list(range(shown[0], shown[-1] + 1))


def said(client: PlainClient, *texts: str, room: str = "lobby") -> None:
    """Have ``texts`` said, and return when all of them are stored."""
    for text in texts:
        client.send(text, room)
    for _ in texts:
        client.read("ack")


def numbers(terminal: Terminal) -> list[int]:
    """Return which of the numbered lines are on the screen, downward."""
    return [int(number) for number in re.findall(r"line (\d+)\.", terminal.text)]
