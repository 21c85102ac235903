"""The disk of an SQLite file is full: nothing is corrupt, nothing is lost, and it goes on when there is space."""

from __future__ import annotations

import sqlite3
import subprocess
import tempfile
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from tests.chance import times
from tests.plain_client import PlainClient
from tests.processes import ServerProcess
from tests.programs import leave_out
from tests.torture.case import TortureCase

SIZE: Final = 64 * 1024 * 1024  # bytes of the disk
TIMES = times("FULL", 1)
PIECE: Final = 4_096  # bytes


class FullDisk(TortureCase):
    def setUp(self) -> None:
        super().setUp()
        self.disk = Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="chat-disk-")))
        mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(self.disk)]
        if subprocess.run(mount, check=False, capture_output=True).returncode:
            leave_out("only root may mount a small disk")
        self.stack.callback(subprocess.run, ["umount", "--lazy", str(self.disk)], check=True)
        self.ballast = self.disk / "ballast"
        self.server = self.stack.enter_context(ServerProcess(db=f"sqlite:///{self.disk}/chat.db"))

    def fill(self) -> None:
        """Take all that is free."""
        with suppress(OSError), self.ballast.open("ab", buffering=0) as ballast:
            while True:
                ballast.write(b"x" * PIECE)

    def check(self) -> None:
        """See that the file is sound while the server runs."""
        with closing(sqlite3.connect(f"file:{self.disk}/chat.db?mode=ro", uri=True)) as database:
            self.assertEqual(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])

    def test_messages(self) -> None:
        self.talk_on_a_full_disk(uploaders=0)

    def test_uploads(self) -> None:
        self.talk_on_a_full_disk(uploaders=2)

    def talk_on_a_full_disk(self, uploaders: int) -> None:
        talk = self.talk(self.server, writers=20, uploaders=uploaders)
        talk.run_for(0.3)
        asker = self.stack.enter_context(closing(self.server.connect()))
        asker.login("asker", rooms=dict.fromkeys(talk.rooms), history=0)
        for _ in range(TIMES):
            self.fill()
            talk.run(lambda: all(reader.notices[-1:] == ["storage_down"] for reader in talk.readers))
            talk.drop_somebody()
            talk.run_for(0.5)
            self.look(asker, talk.rooms[0])
            self.check()
            self.ballast.unlink()
            talk.run(lambda: all(reader.notices[-1] == "storage_up" for reader in talk.readers))
            talk.run_for(0.3)
        talk.finish()
        self.check()
        asker.close()
        self.judge(talk.people, self.server, f"a disk that was full {TIMES} times")

    def look(self, asker: PlainClient, room: str) -> None:
        """See that questions are answered, or refused because the database is away."""
        for type, fields in (
            ("history", {"room": room, "limit": 10}),
            ("fetch", {"room": room, "id": 1}),
            ("who", {"room": room}),
            ("rooms", {}),
        ):
            asker.say(type, ref=1, **fields)
            end = asker.answer(1)[-1]
            self.assertTrue(end.type == "done" or end["code"] == "storage_down", end)
