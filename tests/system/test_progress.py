"""What an operator sees of a command in a terminal while it works."""

from __future__ import annotations

import tempfile
from pathlib import Path
from shlex import join
from unittest import TestCase

from storage.sql import Storage
from tests.processes import SERVER
from tests.terminal import Terminal


class Progress(TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="chat-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.export = self.folder / "export.jsonl"

    def terminal(self, *words: str, db: str = "chat.db", then: str = "") -> Terminal:
        """Run a command as a shell does; a fast machine must not be done before the bar is drawn a second time."""
        command = join([*SERVER, *words, "--db", f"sqlite:///{self.folder / db}"])
        return Terminal(["sh", "-c", f"TQDM_MININTERVAL=0.01 {command} {then}; echo ended with $?"])

    def write_export(self, messages: int, *, whole: bool) -> None:
        lines = ['{"type":"chat","version":1}']
        lines.append(f'{{"type":"room","name":"lobby","first_id":1,"last_id":{messages}}}')
        lines += [
            f'{{"type":"message","room":"lobby","id":{id},"from":"ann","at":1700000000000,"text":"{id}"}}'
            for id in range(1, messages + 1)
        ]
        lines.append(f'{{"type":"end","records":{messages + 2}}}')
        self.export.write_text("\n".join(lines if whole else lines[:-1]) + "\n")

    def test_how_far_it_is(self) -> None:
        self.write_export(20_000, whole=True)
        pruned = "lobby: 19990 messages removed; it begins with 19991 now"
        for words, then, unit, said in (
            ("import", f"< {self.export}", "B/s", []),
            ("export", f"> {self.folder / 'again'}", " messages/s", []),
            ("check", "", " checks/s", ["nothing is off"]),
            ("prune --keep 10", "", " messages/s", [pruned]),
        ):
            with self.subTest(words), self.terminal(*words.split(), then=then) as terminal:
                terminal.wait_for("ended with 0")
                self.assertRegex(terminal.output.decode(), rf"[1-9][0-9]?%\|.*{unit}")
                self.assertEqual([line for line in terminal.lines if line], [*said, "ended with 0"])
        self.assertEqual((self.folder / "again").read_bytes().count(b"\n"), 20_003)

    def test_interrupted(self) -> None:
        self.write_export(50_000, whole=False)
        with self.terminal("import", then=f"< {self.export}") as terminal:
            terminal.wait_for(lambda: b"%|" in terminal.output)
            terminal.type("\x03")
            terminal.wait_exit()
            self.assertNotIn(b"Traceback", terminal.output)
            assert terminal.cursor is not None
            self.assertEqual(terminal.cursor[0], 0)  # below the bar, where the shell goes on
        storage = Storage(f"sqlite:///{self.folder / 'chat.db'}")
        self.addCleanup(storage.close)
        self.assertEqual(storage.rooms(), [])
