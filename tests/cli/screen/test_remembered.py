"""What is kept between two runs."""

from __future__ import annotations

import tempfile
from pathlib import Path
from unittest import TestCase

from twisted.internet.task import Clock

from cli.screen.conversation import Conversation
from cli.screen.highlights import Highlights
from cli.screen.remembered import PAUSE, Remembered
from tests.cli.screen.made import message


class Remembering(TestCase):
    def setUp(self) -> None:
        self.root = Path(self.enterContext(tempfile.TemporaryDirectory())) / "person"
        self.folder = self.root / "1"
        self.file = self.folder / "rooms.json"
        self.clock = Clock()
        self.told: list[str] = []

    def run_with(self, *rooms: str, folder: Path | None = None) -> tuple[Remembered, Conversation]:
        remembered = Remembered(folder or self.folder, self.clock)
        conversation = Conversation("ann", [*remembered.past.rooms, *rooms], Highlights([]))
        remembered.restore(conversation, self.told.append)
        return remembered, conversation

    def talk(self) -> None:
        """Leave something to remember."""
        remembered, conversation = self.run_with("lobby", "dev", "ops")
        for room in conversation.rooms:
            conversation.opened(room.name, 1, 5)
        conversation.select(3)
        conversation.add(message(6, room="dev"))
        conversation.add(message(6, room="ops"))
        conversation.ignore("Bob")
        remembered.changed()
        remembered.close()

    def test_the_next_run_goes_on(self) -> None:
        self.talk()
        _, conversation = self.run_with("tea", "LOBBY")
        self.assertEqual([room.name for room in conversation.rooms], ["lobby", "dev", "ops", "tea"])
        self.assertEqual([room.read_id for room in conversation.rooms], [5, 5, 6, None])
        self.assertEqual((conversation.current.name, conversation.ignored), ("ops", {"bob": "Bob"}))

    def test_talks_that_were_left(self) -> None:
        remembered, conversation = self.run_with("lobby")
        conversation.opened("@bob", 1, 5)
        conversation.close(conversation.rooms[1])
        remembered.changed()
        remembered.close()
        _, conversation = self.run_with("lobby")
        self.assertEqual((conversation.left, len(conversation.rooms)), ({"@bob": 5}, 1))

    def test_nobody_else_may_read_it(self) -> None:
        self.talk()
        self.assertEqual((self.file.stat().st_mode & 0o777, self.folder.stat().st_mode & 0o777), (0o600, 0o700))
        self.assertEqual(list(self.folder.iterdir()), [self.file])

    def test_it_is_written_now_and_then(self) -> None:
        remembered, conversation = self.run_with("lobby")
        for _ in range(3):
            remembered.changed()
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.clock.advance(PAUSE)
        self.assertTrue(self.file.exists())
        self.assertEqual(self.clock.getDelayedCalls(), [])
        before = self.file.stat().st_ino
        remembered.changed()
        self.clock.advance(PAUSE)
        self.assertEqual(self.file.stat().st_ino, before)  # there was nothing new
        conversation.room("dev")
        remembered.changed()
        self.clock.advance(PAUSE)
        self.assertIn("dev", self.file.read_text())

    def test_after_the_end_nothing_is_written(self) -> None:
        remembered, conversation = self.run_with("lobby")
        remembered.close()
        conversation.room("dev")
        remembered.changed()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertFalse(self.file.exists())

    def test_broken_file_is_put_aside(self) -> None:
        for content in ("", "{", '{"rooms": {"lobby": -1}}', '{"ignored": [1]}', "\x00"):
            with self.subTest(content):
                self.folder.mkdir(parents=True, exist_ok=True)
                self.file.write_text(content)
                self.told.clear()
                _, conversation = self.run_with("lobby")
                self.assertEqual([room.name for room in conversation.rooms], ["lobby"])
                self.assertEqual(len(self.told), 1)
                self.assertRegex(self.told[0], r"^the rooms of last time are not known: .*/1/rooms.broken$")
                self.assertEqual((self.folder / "rooms.broken").read_text(), content)
                self.assertFalse(self.file.exists())

    def test_folder_that_cannot_be(self) -> None:
        self.root.write_text("a file")
        remembered, _ = self.run_with("lobby")
        remembered.changed()
        self.clock.advance(PAUSE)
        remembered.changed()
        self.clock.advance(PAUSE)
        remembered.close()
        self.assertEqual(len(self.told), 2)
        self.assertIn("Not a directory", self.told[0])
        self.assertRegex(self.told[1], "^the rooms that you are in are not kept: .*/1/rooms.json: ")

    def test_another_terminal_begins_with_what_the_first_one_has(self) -> None:
        self.talk()
        remembered, conversation = self.run_with(folder=self.root / "2")
        self.assertEqual([room.name for room in conversation.rooms], ["lobby", "dev", "ops"])
        conversation.close(conversation.room("dev"))
        remembered.changed()
        remembered.close()
        self.assertIn("dev", self.file.read_text())
        self.assertNotIn("dev", (self.root / "2" / "rooms.json").read_text())

    def test_what_was_read_in_another_terminal_was_read(self) -> None:
        self.talk()
        second, _ = self.run_with(folder=self.root / "2")
        second.changed()
        second.close()
        first, conversation = self.run_with()
        conversation.opened("ops", 1, 9)
        conversation.show(conversation.room("ops"))
        first.changed()
        first.close()
        _, conversation = self.run_with(folder=self.root / "2")
        self.assertEqual([room.read_id for room in conversation.rooms], [5, 5, 9])
        _, conversation = self.run_with()
        self.assertEqual([room.read_id for room in conversation.rooms], [5, 5, 9])

    def test_what_is_broken_of_another_terminal_is_its_own_affair(self) -> None:
        self.talk()
        other = self.root / "2" / "rooms.json"
        other.parent.mkdir()
        other.write_text("{")
        for folder in (self.folder, self.root / "3"):
            _, conversation = self.run_with(folder=folder)
            self.assertEqual([room.name for room in conversation.rooms], ["lobby", "dev", "ops"])
        self.assertEqual((self.told, other.read_text()), ([], "{"))

    def test_nothing_is_kept_without_a_folder(self) -> None:
        remembered = Remembered(None, self.clock)
        remembered.restore(Conversation("ann", ["lobby"], Highlights([])), self.told.append)
        remembered.changed()
        remembered.close()
        self.assertEqual((self.clock.getDelayedCalls(), self.told), ([], []))
