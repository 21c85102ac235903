"""Secrets: whose they are, who shares them, who may read them."""

from __future__ import annotations

import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import TestCase

from cli.secrets import Secrets

ROOT = Path(__file__).resolve().parents[2]
HOLD = """
import sys
from pathlib import Path
from cli.secrets import Secrets
secrets = Secrets("here:1", "ann", Path(sys.argv[1]))
print(secrets.key, secrets.client, flush=True)
sys.stdin.read()
"""


class Kept(TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name) / "config" / "secrets"

    def take(self, server: str = "here:1", user: str = "ann") -> Secrets:
        secrets = Secrets(server, user, self.folder)
        self.addCleanup(secrets.release)
        return secrets

    def start(self) -> subprocess.Popen[str]:
        """Start a program that holds secrets; the caller ends it."""
        program = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(self.folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        self.addCleanup(program.wait)
        self.addCleanup(program.kill)
        for pipe in (program.stdin, program.stdout):
            assert pipe is not None
            self.addCleanup(pipe.close)
        return program

    def test_key_is_shared_and_client_is_not(self) -> None:
        first, second = self.take(), self.take()
        self.assertEqual(first.key, second.key)
        self.assertNotEqual(first.client, second.client)
        for secret in (first.key, first.client):
            self.assertGreaterEqual(len(secret), 32)
            self.assertLessEqual(len(secret), 64)

    def test_place_with_something_left_to_send_comes_first(self) -> None:
        first, second = self.take(), self.take()
        for place, left in ((first, ""), (second, "left")):
            (place.folder / "outbox").write_text(left)
            place.release()
        self.assertEqual(self.take().client, second.client)
        self.assertEqual(self.take().client, first.client)

    def test_other_users_and_servers_have_others(self) -> None:
        taken = [self.take(), self.take(user="bob"), self.take("here:2")]
        self.assertEqual(len({secrets.key for secrets in taken}), 3)
        self.assertEqual(len({secrets.client for secrets in taken}), 3)

    def test_spellings_of_a_name_are_one(self) -> None:
        self.assertEqual(self.take(user="Ann").key, self.take(user="ann").key)

    def test_released_place_is_taken_over(self) -> None:
        first, second = self.take(), self.take()
        first.release()
        self.assertEqual(self.take().client, first.client)
        self.assertNotEqual(self.take().client, second.client)

    def test_place_of_a_killed_program_is_taken_over(self) -> None:
        program = self.start()
        assert program.stdout is not None
        key, client = program.stdout.readline().split()
        self.assertEqual(self.take().key, key)
        self.assertNotEqual(self.take().client, client)
        program.kill()
        program.wait()
        self.assertEqual(self.take().client, client)

    def test_many_start_at_once(self) -> None:
        programs = [self.start() for _ in range(6)]
        lines = [program.stdout.readline().split() for program in programs if program.stdout is not None]
        self.assertEqual(len({key for key, _ in lines}), 1)
        self.assertEqual(len({client for _, client in lines}), 6)

    def test_nobody_else_may_read(self) -> None:
        self.folder.mkdir(parents=True, mode=0o755)
        self.take()
        for path in [self.folder, *self.folder.rglob("*")]:
            mode = stat.S_IMODE(path.stat().st_mode)
            self.assertEqual(mode, 0o700 if path.is_dir() else 0o600, path)

    def test_no_name_leaves_the_folder(self) -> None:
        self.take(server="../../x:1", user="..")
        outside = [path for path in self.folder.parent.parent.rglob("key") if self.folder not in path.parents]
        self.assertEqual(outside, [])
