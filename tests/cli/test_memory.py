"""What a client's memory grows by, however many contents it carries at once."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from unittest import TestCase

from tests.processes import ROOT, ServerProcess, environment

SIZE = 6 * 1024 * 1024  # bytes of each of the twelve contents: all are more than twice what is allowed


class Memory(TestCase):
    def test_many_contents_at_once(self) -> None:
        with ServerProcess() as server, tempfile.TemporaryDirectory() as folder:
            program = [sys.executable, "-m", "tests.cli.carrier", str(server.port), folder, str(SIZE)]
            said = subprocess.check_output(program, cwd=ROOT, env=environment(), text=True, timeout=100)
            print(said)
            self.assertLess(int(said), 32 * 1024 * 1024)
