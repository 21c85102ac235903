"""Keeping order from a terminal, with a real server: two people, two terminals."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import TestCase

from tests.processes import ROOT, SERVER, ServerProcess
from tests.terminal import Terminal

PASSWORD = "secret"


class InTheTerminal(TestCase):
    def setUp(self) -> None:
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.db = f"sqlite:///{folder}/chat.db"
        self.password = folder / "password"
        self.password.write_text(PASSWORD)
        self.server = self.enterContext(ServerProcess("--auth", "accounts", db=self.db))
        for flags in (["root", "--operator"], ["bob"]):
            command = [*SERVER, "users", "add", "--db", self.db, *flags]
            subprocess.run(command, input=f"{PASSWORD}\n".encode(), check=True, capture_output=True, timeout=60)

    def chat(self, name: str) -> Terminal:
        command = [sys.executable, str(ROOT / "cmd" / "cli"), name, "--port", str(self.server.port)]
        terminal = self.enterContext(Terminal([*command, "--password-file", str(self.password)], 110, 30))
        terminal.wait_for("live")
        return terminal

    def test_two_people(self) -> None:
        root, bob = self.chat("root"), self.chat("bob")
        bob.type("SECRET\r")
        root.wait_for("bob SECRET")
        bob.type("/kick root\r")
        bob.wait_for("kick is for operators")

        root.type("/mute bob hush\r")
        root.wait_for("bob is muted")
        bob.type("LOUD\r")
        bob.wait_for("LOUD (muted: hush)")
        root.type("/unmute bob\r")
        root.wait_for("is lifted")

        bob.type("/delete \t")
        bob.wait_for("1, bob: SECRET")
        bob.type("\r")
        bob.wait_for("message 1 is deleted")
        for terminal in (root, bob):
            terminal.wait_for("bob deleted")
            terminal.wait_for(lambda terminal=terminal: "SECRET" not in terminal.text)  # type: ignore[misc]

        bob.type("/join den\r")
        bob.wait_for("live · [den]")
        root.type("/join den\r")
        root.wait_for("live · [den]")
        bob.type("/private\r")
        bob.wait_for("den is private")
        root.wait_for("you are in den no more: Enter goes on in lobby")
        root.type("FOR DEN\r/help\r")
        root.wait_for("server: ")
        self.assertNotIn("FOR DEN", root.text)

        root.type("/ban bob for 2h noise\r")
        root.wait_for("bob is banned until")
        bob.wait_for("banned until")
        bob.wait_for("kicked out by an operator")
        root.type("/audit\r")
        root.wait_for("ban bob")
