"""Writing, in a terminal."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import cast
from unittest import TestCase
from unittest.mock import patch

from platformdirs import user_state_path
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from cli.screen.account import Account
from cli.screen.orders import Orders
from cli.screen.paste import Pasted, TooLong
from cli.screen.room import Room, Unsent
from cli.screen.talk import Talk
from cli.screen.writing import TWICE, Writing
from cli.settings import Settings
from cli.status import State
from tests.cli.screen.made import NOON, message, status
from tests.cli.screen.test_places import FakeTalk
from tests.processes import ROOT, ServerProcess
from tests.terminal import Terminal

SCRIPTED = (sys.executable, str(Path(__file__).with_name("scripted.py")))


class Talking(FakeTalk):
    """What writing sees of :class:`Talk`."""

    settings = Settings()

    def __init__(self) -> None:
        super().__init__()
        self.quits = 0
        self.orders = Orders(cast(Talk, self))

    def say(self, text: str) -> None:
        super().say(text)
        self.conversation.notice(text, NOON)

    def quit(self) -> None:
        self.quits += 1

    def watch(self, stored: Deferred[int | None], room: Room, unsent: Unsent) -> None:
        stored.addErrback(lambda _: None)


class Typed(TestCase):
    """Without a terminal."""

    def setUp(self) -> None:
        state = self.enterContext(tempfile.TemporaryDirectory())
        self.enterContext(patch.dict(os.environ, XDG_STATE_HOME=state))
        self.talk = Talking()
        self.clock = Clock()
        self.writing = Writing(cast(Talk, self.talk), self.clock)

    def press(self, *keys: str) -> None:
        for key in keys:
            if not self.writing.press(key):
                self.assertTrue(self.talk.keys.press(key), key)

    @property
    def typed(self) -> str:
        self.writing.refresh()
        return str(self.writing.input.edit_text)

    def test_the_answer_to_a_command_is_seen(self) -> None:
        room = self.talk.conversation.current
        room.add(message(1))
        room.look_at((1, 0))
        self.talk.commands.add("silent", lambda _: None, "")
        self.press(Pasted("/silent"), "enter")
        self.assertFalse(room.follows)
        self.press(Pasted("/unknown"), "enter")
        self.assertTrue(room.follows)

    def test_the_second_interrupt_in_time_ends(self) -> None:
        self.press(Pasted("half"), "ctrl c")
        self.assertEqual((self.typed, self.talk.said), ("", []))
        self.press("ctrl c")
        self.clock.advance(TWICE + 0.1)
        self.press("ctrl c")
        self.assertEqual((self.writing.prompt[:12], self.talk.quits), ("the same aga", 0))
        self.press("ctrl c")
        self.assertEqual(self.talk.quits, 1)

    def test_a_question_is_its_rooms(self) -> None:
        self.talk.conversation.room("dev")
        self.press(Pasted("one\n" * 9))
        self.assertIn("paste 9 lines", self.writing.prompt)
        self.talk.conversation.turn(1)
        self.assertEqual(self.writing.prompt, "")
        self.press(Pasted("e"))
        self.assertEqual(self.typed, "e")
        self.talk.conversation.turn(1)
        self.press(Pasted("e"))
        self.assertEqual((self.typed, self.writing.prompt), ("one\n" * 9, ""))

    def test_a_password_is_asked_for_in_all_rooms(self) -> None:
        given: list[str | None] = []
        self.talk.conversation.room("dev")
        self.talk.writing = self.writing  # type: ignore[assignment]
        Account(cast(Talk, self.talk)).ask("a new password").addCallback(given.append)
        self.press(Pasted("sec"))
        self.talk.conversation.turn(1)  # by a click, or as a room is not to be had
        self.assertIn("a new password: •••", self.writing.prompt)
        self.press(Pasted("ret"), "ctrl x", "enter")
        self.assertEqual((given, self.typed, self.writing.prompt), (["secret"], "", ""))

    def test_what_was_typed_too_early_is_not_kept_where_it_may_be_a_password(self) -> None:
        self.press(Pasted("hunter2"), "enter")
        self.writing.take_back()
        self.press("up")
        self.assertEqual(self.typed, "hunter2")  # in this run
        self.press("down", Pasted("no server yet"), "enter")
        self.assertEqual(self.kept(), [])
        self.writing.keep()
        self.assertEqual(self.kept(), ["no server yet"])
        self.press(Pasted("early"), "enter")
        self.talk.conversation.tell(status(State.LIVE))
        self.press(Pasted("late"), "enter")
        self.assertEqual(self.kept(), ["no server yet", "early", "late"])

    def kept(self) -> list[str]:
        file = user_state_path("console-chat") / "history"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def test_two_different_passwords_are_asked_for_again(self) -> None:
        self.talk.writing = self.writing  # type: ignore[assignment]
        Account(cast(Talk, self.talk))
        for command in ("/register", "/passwd"):
            self.press(Pasted(command), "enter")
            if command == "/passwd":
                self.press(Pasted("old"), "enter")
            for _ in range(2):
                self.press(Pasted("one"), "enter", Pasted("another"), "enter")
                self.assertIn("these were two different ones; a new password:", self.writing.prompt)
            self.press(Pasted("one"), "enter", Pasted("one"), "enter")
            self.assertEqual((self.writing.prompt, self.typed), ("", ""))
        self.assertEqual(self.talk.client.asked, [("register", "one", None), ("register", "one", "old")])
        for leaves in (["esc"], [Pasted("one"), "enter", "esc"]):
            self.press(Pasted("/register"), "enter", *leaves)
            self.assertEqual(self.writing.prompt, "")
        self.assertEqual(len(self.talk.client.asked), 2)

    def test_a_question_goes_with_its_room(self) -> None:
        dev = self.talk.conversation.room("dev")
        self.talk.conversation.show(dev)
        self.press(Pasted("one\n" * 9))
        self.talk.conversation.close(dev)
        self.talk.conversation.show(self.talk.conversation.room("dev"))
        self.assertEqual(self.writing.prompt, "")
        self.press(Pasted("two\n" * 9))
        self.assertIn("paste 9 lines", self.writing.prompt)

    def test_a_search_goes_on_and_ends_with_any_other_key(self) -> None:
        for text in ("one x", "two x", "three"):
            self.press(Pasted(text), "enter")
        self.press("ctrl r", Pasted("x"), "ctrl r")
        self.assertEqual(self.typed, "one x")
        self.press("end", Pasted("!"))
        self.assertEqual((self.typed, self.writing.prompt), ("one x!", ""))

    def test_a_paste_that_is_too_long_is_told(self) -> None:
        self.press(TooLong())
        self.assertIn("at most 67.1 MB", self.talk.said[0])
        self.assertEqual(self.typed, "")

    def test_delete_or_quit(self) -> None:
        self.press(Pasted("ab"), "home", "ctrl d")
        self.assertEqual((self.typed, self.talk.quits), ("b", 0))
        self.press("ctrl d", "ctrl d")
        self.assertEqual(self.talk.quits, 1)


class OnePerson(TestCase):
    """A client that does as it is told."""

    def setUp(self) -> None:
        self.home = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def open(self, columns: int = 80, rows: int = 24, **env: str) -> Terminal:
        terminal = Terminal(SCRIPTED, columns, rows, {"XDG_STATE_HOME": str(self.home), **env})
        self.enterContext(terminal)
        terminal.wait_for("live")
        return terminal

    def wait_for_input(self, terminal: Terminal, last: str) -> None:
        terminal.wait_for(lambda: terminal.lines[-1] == last)

    def test_two_runs(self) -> None:
        terminal = self.open()
        for text in ("the first one", "another"):
            terminal.type(f"{text}\r")
            terminal.wait_for(f"ann {text}")
        terminal.type("half\x12fir")
        terminal.wait_for("search back for: fir (Enter takes what is found, Esc goes back)")
        terminal.wait_for("> the first one")
        terminal.type("\x1b")
        terminal.wait_for("> half")
        terminal.type("\x12fir\r")
        terminal.wait_for(lambda: "search" not in terminal.text and "> the first one" in terminal.text)
        terminal.type("\x05!\r")
        terminal.wait_for("ann the first one!")
        terminal.wait_for("> half")
        terminal.process.terminate()
        self.assertEqual(terminal.wait_exit(), 0)

        terminal = self.open()
        for recalled in ("half", "the first one!", "another", "the first one"):
            terminal.type("\x1b[A")
            self.wait_for_input(terminal, f"> {recalled}")

    def test_editing(self) -> None:
        terminal = self.open()
        terminal.type("one two three\x17\x17\x01\x19")  # both words are killed, and stand at the beginning
        terminal.wait_for("> two threeone")
        terminal.type("\x1f\x1f\x1f")
        terminal.wait_for("> one two three")
        terminal.type("\x1b\rsecond\x1b[A\x1b[A")  # Up moves first, and then recalls: nothing was typed before
        terminal.type("\x01!\x05?")
        terminal.wait_for(lambda: terminal.lines[-2:] == ["> !one two three?", "second"])
        terminal.type("\x03")
        terminal.wait_for(lambda: terminal.lines[-1] == ">")
        terminal.type("\x1f")
        terminal.wait_for("second")
        terminal.type("\x03\x03")
        terminal.wait_for("the same again ends")
        terminal.type("\x03")
        self.assertEqual(terminal.wait_exit(), 0)

    def test_a_refused_text_can_be_had_again(self) -> None:
        terminal = self.open()
        terminal.type("!refuse not here\r")
        terminal.wait_for("!refuse not here (not here)")
        terminal.type("\x1b[A")
        terminal.wait_for("> !refuse not here")

    def test_a_paste_of_many_lines_asks(self) -> None:
        terminal = self.open(60, 20)
        paste = "\x1b[200~" + "\r".join(f"row {number}" for number in range(12)) + "\x1b[201~"
        terminal.type("see: " + paste)
        terminal.wait_for("paste 12 lines, 73 bytes? Enter sends, e edits, Esc drops")
        terminal.type("typing on\x04\x15\x1b[A")
        for columns, rows in ((2, 2), (1, 1), (40, 10), (60, 20)):
            terminal.resize(columns, rows)
        terminal.wait_for("Esc drops")
        terminal.type("\x1b")
        terminal.wait_for(lambda: "paste 12" not in terminal.text and terminal.lines[-1] == "> see:")
        terminal.type(paste)
        terminal.wait_for("paste 12 lines")
        terminal.type("e")
        terminal.wait_for(lambda: "paste 12" not in terminal.text and "row 11" in terminal.text)
        self.assertNotIn("ann see", terminal.text)
        terminal.type("\x03" + paste)
        terminal.wait_for("paste 12 lines")
        terminal.type("\r")
        terminal.wait_for("ann row 0")
        self.assertEqual(terminal.lines[-1], ">")
        terminal.type("\x1b[200~one\rtwo\x1b[201~")
        terminal.wait_for(lambda: terminal.lines[-2:] == ["> one", "two"])

    def test_completion(self) -> None:
        (self.home / "a file.txt").write_text("x" * 300)
        terminal = self.open()
        terminal.type("!from 'anna'\r!from 'Bert'\r")
        terminal.wait_for("Bert look at")
        for typed, shown in (
            ("\t", "> Bert:"),
            ("\t", "> anna:"),
            ("\x1b[Z", "> Bert:"),
            ("hi an\t", "> Bert: hi anna"),
            ("\x03z\t", "> zoe:"),  # who says nothing, as the server knows
            ("\x03/set th\t\t", "> /set theme dark"),  # of the only name there is, what it may be
            ("\x03/sen\t", "> /send"),
            (f"{self.home}/a\t", f"> /send {self.home}/a file.txt"),
        ):
            terminal.type(typed)
            self.wait_for_input(terminal, shown)
        terminal.type("\r")
        terminal.wait_for("file a file.txt, 300 bytes")

    def test_editor(self) -> None:
        editor = self.home / "editor"
        editor.write_text('#!/bin/sh\necho in the editor\nread answer < /dev/tty\necho "$answer" >> "$1"\nexit $2\n')
        editor.chmod(0o755)
        terminal = self.open(EDITOR=str(editor))
        terminal.type("one\x18\x05")
        terminal.wait_for("in the editor")
        terminal.type("two\n")
        terminal.wait_for("> onetwo")
        terminal.type("\r")
        terminal.wait_for("ann onetwo")

        terminal = self.open(EDITOR="false")
        terminal.type("one\x18\x05")
        terminal.wait_for("false ended with status 1; what you typed is as it was")
        terminal.wait_for("> one")


class TwoRooms(TestCase):
    def test_each_has_a_half_written_text(self) -> None:
        with ServerProcess() as server:
            command = [sys.executable, str(ROOT / "cmd" / "cli"), "ann", "--port", str(server.port)]
            with Terminal([*command, "--room", "lobby", "--room", "dev"]) as ann:
                ann.wait_for("live")
                ann.type("for the lobby\x0e")
                ann.wait_for(lambda: ann.lines[-1] == ">")
                ann.type("for dev\x0e")
                ann.wait_for("> for the lobby")
                ann.type("\x0e")
                ann.wait_for("> for dev")
