"""A client that is killed with -9 and started again: what it sent is there once, by its outbox on disk."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import TestCase

from cli.kept import File, Kept
from tests.processes import ROOT, ServerProcess, environment

RUNS = 4
TEXTS = 20  # of each run


class Killed(TestCase):
    def setUp(self) -> None:
        self.seed = int(os.environ.get("SEED") or random.randrange(2**32))
        print(f"SEED={self.seed}")
        self.chance = random.Random(self.seed)
        self.server = self.enterContext(ServerProcess())
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def run_once(self, moment: int, *what: str) -> tuple[int, list[str]]:
        """Run the program until it ends or dies; return how, and which texts it had taken."""
        arguments = [str(self.server.port), str(self.folder), str(moment), *what]
        program = [sys.executable, "-m", "tests.cli.sender", *arguments]
        run = subprocess.run(
            program, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True, timeout=60, check=False
        )
        return run.returncode, run.stdout.split()

    def files_left(self) -> set[str | None]:
        """Return the names of the files that the next run has to send."""
        outbox = Kept(self.folder / "outbox", self.fail)
        outbox.close()
        return {entry.name for entry, _ in outbox.left if isinstance(entry, File)}

    def test_each_once_and_in_order(self) -> None:
        taken: list[str] = []
        taken_files: set[str | None] = set()
        files: dict[str, bytes] = {}
        for run in range(RUNS):
            name = f"file{run}"
            files[name] = self.chance.randbytes(self.chance.randrange(1, 1_500_000))
            (self.folder / name).write_bytes(files[name])
            texts = [f"{run}.{number}" for number in range(TEXTS)]
            status, said = self.run_once(self.chance.randrange(20, 300), str(self.folder / name), *texts)
            self.assertIn(status, (0, -signal.SIGKILL))
            taken += said
            taken_files |= self.files_left() if status else {name}
        self.assertEqual(self.run_once(0), (0, []))
        self.assertEqual((self.folder / "outbox").stat().st_size, 0)

        client = self.server.connect()
        self.addCleanup(client.close)
        last_id = client.login("bob", rooms={"lobby": 0})["rooms"]["lobby"]["last_id"]
        messages = client.read_messages("lobby", last_id)
        found = [message.text for message in messages if "name" not in message]
        self.assertEqual(len(found), len(set(found)), "a text is there twice")
        self.assertEqual(sorted(found, key=lambda text: [int(part) for part in text.split(".")]), found)
        self.assertLessEqual(set(taken), set(found))
        self.assertLessEqual(len(found), len(taken) + RUNS)  # it may have died while it took one
        names = [message["name"] for message in messages if "name" in message]
        self.assertEqual(len(names), len(set(names)), "a file is there twice")
        self.assertLessEqual(taken_files, set(names))
        for message in messages:
            if "name" in message:
                client.say("fetch", id=message["id"], ref=message["id"])
                content = b"".join(frame.body for frame in client.answer(message["id"]) if frame.type == "part")
                self.assertEqual(content, files[message["name"]])
