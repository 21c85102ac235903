"""What others send does nothing to the terminal but stand in it."""

from __future__ import annotations

import re
import socket
import sys
import tempfile
from contextlib import suppress
from threading import Thread
from unittest import TestCase

from wcwidth import width

from cli.screen.bare import bare
from cli.screen.highlights import Highlights
from cli.screen.lines import Kind, Line, lines_of, talk
from cli.screen.look import Look
from cli.screen.row import Label, row
from tests.attacks import ATTACKS, HARMS
from tests.cli.screen.made import NOON, message
from tests.cli.screen.test_screen import SCRIPTED
from tests.processes import ROOT
from tests.terminal import Terminal
from wire import frames
from wire.frames import encode

# All that a screen of ours is made of: rows moved, where to write, in which style, erasing, inserting, modes, links.
OURS = re.compile(
    r"\x1b\[0m\x1b\[\d+;\d+r\x1b\[\d+;\d+H(?:(?:\x1bD)+|(?:\x1bM)+)\x1b\[r"
    r"|\x1b\[\d+;\d+H|\x1b\[H|\x1b\[[\d;]*m|\x1b\[2?K|\x1b\[4[hl]|\x1b\[\?(?:25|7|1049|2004|100[06]|2026)[hl]|\x1b\[\?2026\$p"
    r"|\x1b\)0|\x1b[78]|\x1b\]8;(?:id=chat;[!-~]*)?;?\x1b\\|[\r\n\x08\x0f]"
)
STYLES = re.compile(r"\x1b\[(?!0[;m])[\d;]*m")  # ours all begin with a reset


def strange(output: bytes) -> list[str]:
    """Return what of a program's output is no text, and nothing that it should write."""
    text = output.decode()
    return [ascii(found[0]) for found in re.finditer(HARMS, OURS.sub("", text))] + STYLES.findall(text)


class Rows(TestCase):
    def test_nothing_that_harms_and_no_row_too_wide(self) -> None:
        look = Look("ann", Highlights(["ann"]))
        for name, attack in ATTACKS.items():
            lines = [
                *talk(attack, NOON, "bob"),
                *talk(f"/me {attack}", NOON, "bob"),
                *lines_of(message(1, "", attack, size=1, name=attack)),
                Line(Kind.NOTICE, attack, NOON, "-"),
                Line(Kind.TALK, "hi", NOON, attack),
            ]
            with self.subTest(name):
                for line in lines[:2] + lines[-3:]:
                    rows = [text.decode() for text in row(line, 60, look).render((60,)).text]
                    self.assertIsNone(HARMS.search("".join(rows)))
                    self.assertLessEqual(max(width(text) for text in rows), 60)

    def test_a_label_shows_no_more_than_it_can_lay_out(self) -> None:
        for text in ("x" * 10**6, "\u0915\u094d" * 10**5, "http://" + ")" * 10**5):
            self.assertLess(len(Label(text, "talk").text), 10_000)

    def test_bare(self) -> None:
        for name, attack in ATTACKS.items():
            with self.subTest(name):
                shown = bare(
                    [*talk(attack, NOON, "bob"), Line(Kind.TALK, "x", NOON, attack), Line(Kind.NOTICE, "y", NOON, "-")]
                )
                self.assertIsNone(HARMS.search(shown))
                rows = shown.split("\n")
                self.assertTrue(all(re.match(r"\d\d:\d\d (?:bob|.* x\Z|- y\Z)|  ", text) for text in rows), rows)


class Screens(TestCase):
    def test_from_people_and_from_the_server(self) -> None:
        with Terminal(SCRIPTED, 80, 24) as terminal:
            terminal.wait_for("live")
            terminal.type("/set bell off\r")  # some of it is a mention
            terminal.wait_for("bell = false")
            for number, where in enumerate(("text", "deed", "name", "file", "notice", "people", "room", "reason")):
                terminal.type(f"!attack {where}\r")
                terminal.type(f"!say 'seen' + ' {number}'\r")
                terminal.wait_for(f"bob seen {number}")
                self.assertEqual(strange(terminal.output), [], where)
            rows = terminal.lines
            self.assertTrue(all(re.match(r"\d\d:\d\d +\S|         |\Z", text) for text in rows[:-2]), rows)
            self.assertEqual(rows[-1], ">")
            terminal.type("\x04")
            self.assertEqual(terminal.wait_exit(), 0)
            self.assertTrue(terminal.restored)

    def test_server_that_sends_what_is_no_text(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server, tempfile.TemporaryDirectory() as home:
            serving = Thread(target=_serve, args=(server,))
            serving.start()
            command = [sys.executable, str(ROOT / "cmd" / "cli"), "ann", f"127.0.0.1:{server.getsockname()[1]}"]
            with Terminal(command, 100, 24, env={"HOME": home, "XDG_CONFIG_HOME": home}) as terminal:
                terminal.wait_for("bob a\ufffdb\ufffd\ufffd\u2007c".replace("\u2007", "\u2407"))
                terminal.wait_for("not understood")
                serving.join()
                self.assertIn("x\u241b]0;y", terminal.text)
                self.assertEqual(strange(terminal.output), [])
                terminal.type("\x03\x03")
                self.assertEqual(terminal.wait_exit(), 0)
                self.assertTrue(terminal.restored)


def _serve(server: socket.socket) -> None:
    """Let one client in, and tell it what is no text: in a body, where it is taken for one, and in a header."""
    connection, _ = server.accept()
    with connection:
        connection.recv(65536)
        rooms = {"lobby": frames.RoomSpan(1, 0)}
        welcome = frames.Welcome(user="ann", server="", ping_every=30, received=0, rooms=rooms)
        said = frames.Message(room="lobby", id=1, sender="bob", at=0)
        notice = frames.Notice(code="x", text="x\x1b]0;y")
        header = b'{"type":"notice","code":"x","text":"\xff"}'
        connection.sendall(
            encode(welcome) + encode(said, b"a\xffb\xed\xa0\x07c") + encode(notice) + b"%d:%b," % (len(header), header)
        )
        with suppress(ConnectionResetError):
            connection.recv(65536)
