"""A program that is forked is the same as one that is started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest import TestCase

from tests import forkserver
from tests.processes import environment
from tests.terminal import Terminal

BORN = (sys.executable, str(Path(__file__).with_name("born.py")))


class Alike(TestCase):
    def both(self, how: str, **options: Any) -> list[tuple[int, str, str]]:
        """Return status, output and errors of a process that was started and of one that was forked."""
        found = []
        for start in (subprocess.Popen, forkserver.start):
            process: subprocess.Popen[str] = start(
                [*BORN, "one", how],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                **options,
            )
            output, errors = process.communicate("said", timeout=60)
            found.append((process.returncode, output, errors))
        self.assertEqual(type(process).__name__, "_Forked")
        return found

    def test_what_it_is_given(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            variables = environment() | {"CHAT_DB": "sqlite://", "TZ": "Asia/Kathmandu"}
            variables.pop("HOME", None)
            for session in (False, True):
                with self.subTest(session=session):
                    started, forked = self.both("3", cwd=folder, env=variables, start_new_session=session)
                    self.assertEqual(json.loads(forked[1].removesuffix(" said\n")), json.loads(started[1][:-6]))
                    self.assertEqual(forked, started)
                    self.assertEqual(forked[0], 3)
                    self.assertEqual(json.loads(forked[1][:-6])["parent"], os.getpid())

    def test_how_it_ends(self) -> None:
        for how, status in (("0", 0), ("a line", 1), ("kill", -9), ("interrupt", -2)):
            with self.subTest(how):
                started, forked = self.both(how, env=environment())
                self.assertEqual((started[0], forked[0]), (status, status))
                self.assertEqual(started[2].splitlines()[-1:], forked[2].splitlines()[-1:])

    def test_its_terminal_is_its_own(self) -> None:
        with Terminal([*BORN, "0"]) as terminal:
            terminal.type("\x03")  # reaches it as a signal
            self.assertEqual(terminal.wait_exit(), -2)
