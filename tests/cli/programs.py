"""``chat`` as a program, against a real server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest import TestCase

from tests import forkserver
from tests.processes import ROOT, counted_environment
from tests.system.case import fresh, shared_server

CHAT = (sys.executable, str(ROOT / "cmd" / "cli"))
SOON = 20  # seconds that a program may take for anything


class ProgramCase(TestCase):
    """Tests in a room of their own, with people and a folder of their own; ``config`` tells apart their machines."""

    def setUp(self) -> None:
        self.server = shared_server()
        self.room, self.ann, self.bob = fresh("room"), fresh("ann"), fresh("bob")
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def environment(self, config: str = "a") -> dict[str, str]:
        return counted_environment() | {"XDG_CONFIG_HOME": str(self.folder / config)}

    def start(self, *arguments: str, config: str = "a", **streams: Any) -> subprocess.Popen[bytes]:
        pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE) | streams
        program = forkserver.start(
            [*CHAT, *arguments, "--port", str(self.server.port)],
            env=self.environment(config),
            cwd=self.folder,
            **pipes,
        )
        self.addCleanup(program.__exit__, None, None, None)
        self.addCleanup(program.kill)
        return program

    def run_chat(self, *arguments: str, said: bytes = b"", config: str = "a") -> tuple[int, bytes, str]:
        """Return the exit status, standard output and standard error."""
        program = self.start(*arguments, config=config)
        out, complaints = program.communicate(said, timeout=SOON)
        return program.returncode, out, complaints.decode()

    def assert_one_line(self, complaints: str) -> None:
        self.assertRegex(complaints, re.compile(r"\Achat: [^\n]+\n\Z"))
        self.assertNotIn("Traceback", complaints)


def peak_memory(program: subprocess.Popen[bytes]) -> int:
    """Wait for the end of ``program``, and return how many bytes it had resident at most."""
    _, status, used = os.wait4(program.pid, 0)
    program.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_maxrss * 1024
