"""Many rooms on the screen, with a real server: counts, commands, what is remembered."""

from __future__ import annotations

import sys
import tempfile
from unittest import TestCase

from tests.cli.screen.made import DIM
from tests.plain_client import PlainClient
from tests.processes import ROOT, ServerProcess
from tests.terminal import Terminal


class OnTheScreen(TestCase):
    def setUp(self) -> None:
        self.server = self.enterContext(ServerProcess())
        self.home = self.enterContext(tempfile.TemporaryDirectory())

    def chat(self, *flags: str, columns: int = 120, rows: int = 24) -> Terminal:
        command = [sys.executable, str(ROOT / "cmd" / "cli"), "ann", "--port", str(self.server.port), *flags]
        env = {"HOME": self.home, "XDG_CONFIG_HOME": "", "XDG_STATE_HOME": ""}
        return self.enterContext(Terminal(command, columns, rows, env=env))

    def bob(self) -> PlainClient:
        bob = self.server.connect()
        self.addCleanup(bob.close)
        bob.login("bob", rooms={"lobby": None, "dev": None, "ops": None})
        return bob

    def test_several_rooms(self) -> None:
        ann = self.chat()
        ann.wait_for("live · [lobby]")
        ann.type("/join dev\r")
        ann.wait_for("live · [dev]")
        ann.type("/join ops\r")
        ann.wait_for("live · [ops]")
        bob = self.bob()
        ann.wait_for("2 here")
        again = self.chat()
        again.wait_for("2 here")
        again.type("\x04")
        self.assertEqual(again.wait_exit(), 0)
        before = ann.output.count(b"\x07")

        for text, room in (("hi all", "lobby"), ("ann, look", "dev"), ("ann, once more", "dev"), ("and", "dev")):
            bob.store(text, room)
        ann.wait_for(
            lambda: (
                [line[:21].split() for line in ann.lines[:3]]
                == [["1", "lobby", "1"], ["2", "dev", "2!", "3"], ["3", "ops"]]
            )
        )
        self.assertEqual(ann.output.count(b"\x07") - before, 1)  # and not once for each
        ann.type("\x1ba")
        ann.wait_for("bob ann, once more")
        ann.type("\x1ba")
        ann.wait_for("bob hi all")
        ann.type("\x1ba")
        ann.wait_for("live · [ops]")
        self.assertNotIn("!", ann.text)
        ann.type("\x1b[<0;5;2M\x1b[<0;5;2m")  # a click on dev
        ann.wait_for("bob ann, look")

        ann.type("/who\r")
        ann.wait_for("2 in dev\n")
        ann.wait_for("ann  bob")
        ann.type("/rooms\r")
        ann.wait_for("*  lobby  2 there  1 message")
        ann.type("/ignore bob\r")
        ann.wait_for("what bob says is hidden")
        bob.store("nobody hears this", "dev")
        ann.type("/whoo\r")
        ann.wait_for("do you mean /who?")
        self.assertNotIn("nobody hears", ann.text)
        ann.type("/unignore bob\r/leave lobby\r")
        ann.wait_for(lambda: ann.lines[0].startswith(" 1 dev"))
        ann.resize(40, 10)
        ann.wait_for("live · [1:dev] 2:ops")
        self.assertTrue(all(len(line) <= 40 for line in ann.lines))

        ann.type("/quit\r")
        self.assertEqual(ann.wait_exit(), 0)
        for number in range(150):
            bob.send(f"line {number}", "ops")
        bob.store("ann!", "ops")
        again = self.chat()
        again.wait_for("live · [dev]")
        again.wait_for(lambda: again.lines[1][:21].split() == ["2", "ops", "1!", "151"])
        self.assertNotIn("lobby", again.text)
        self.assertNotIn(b"\x07", again.output)
        again.type("\x1b2")
        again.wait_for("bob ann!")
        again.wait_for(lambda: again.lines[1][:21].split() == ["2", "ops"])

    def test_start_without_a_server(self) -> None:
        self.server.kill()
        ann = self.chat(columns=80)
        ann.wait_for("connecting, next try in ")
        ann.wait_for("Connection refused")
        ann.type("/who\rwritten meanwhile\r/join dev\rthere too\r")
        ann.wait_for("ann there too")
        self.assertEqual(ann.colour("there too"), DIM)
        self.server.start()
        ann.wait_for("live · [2:dev] 1:lobby")
        ann.wait_for(lambda: ann.colour("there too") == "default")
        ann.type("\x1b1")
        ann.wait_for(lambda: "there is no connection;" in ann.text and ann.colour("written") == "default")
        bob = self.bob()
        self.assertEqual(bob.read("message", room="lobby").text, "written meanwhile")
        ann.type("/quit\r")
        self.assertEqual(ann.wait_exit(), 0)
        again = self.chat("--room", "dev", columns=80)  # though lobby was shown
        again.wait_for("live · [2:dev] 1:lobby")

    def test_what_a_killed_run_had_not_sent(self) -> None:
        ann = self.chat("--room", "lobby", "--room", "dev")
        ann.wait_for("live · [lobby]")
        ann.type("\x1b2said before\r")
        ann.wait_for(lambda: ann.colour("said before") == "default")
        ann.type("/quit\r")
        ann.wait_exit()
        self.server.kill()
        for unsent, end in enumerate(("quit", "kill"), 1):
            ann = self.chat()
            ann.wait_for("Connection refused")
            ann.type(f"typed before a login: {end}\r")
            ann.wait_for(f"unsent {unsent}")
            if end == "quit":
                ann.type("/quit\r")
                self.assertEqual(ann.wait_exit(), 1)
                self.assertIn("chat: not sent: 1 message; chat sends what is left at its next start", ann.text)
            else:
                ann.process.kill()

        self.server.start()
        self.bob().store("meanwhile", "dev")
        ann = self.chat()
        ann.wait_for("bob meanwhile")
        ann.wait_for(lambda: ann.colour("typed before a login: kill") == "default")
        seen = [line.split()[-1] for line in ann.lines if ":" in line[:26]]
        self.assertEqual(seen, ["before", "meanwhile", "quit", "kill"])
