"""What a word could become."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from unittest import TestCase

from cli.screen.commands import Commands
from cli.screen.completion import Completing, behind_first, complete, files, last_word
from cli.screen.editing import Buffer, KillRing

PEOPLE = ["Bob", "anna", "bea"]


class Words(TestCase):
    def setUp(self) -> None:
        self.commands = Commands()
        self.commands.add("join", print, "", "ROOM", last_word(lambda: ["lobby", "Dev"]))
        self.commands.add("jump", print, "")
        self.commands.add("kick", print, "", "NAME")

    def test_what_could_stand_there(self) -> None:
        for before, start, found in [
            ("", 0, ["Bob: ", "anna: ", "bea: "]),
            ("b", 0, ["Bob: ", "bea: "]),
            ("ask b", 4, ["Bob ", "bea "]),
            ("two\nb", 4, ["Bob ", "bea "]),
            ("@b", 0, ["@Bob ", "@bea "]),
            ("ask ", 4, []),
            ("x", 0, []),
            ("/", 0, ["/join ", "/jump ", "/kick "]),
            ("/j", 0, ["/join ", "/jump "]),
            ("/join d", 6, ["Dev"]),
            ("/join ", 6, ["lobby", "Dev"]),
            ("/join #d", 6, ["#Dev"]),
            ("/join lobby d", 6, ["lobby Dev"]),
            ("/kick an", 6, ["anna "]),
            ("/kick ", 6, ["Bob ", "anna ", "bea "]),
            ("/kick anna ", 11, []),
            ("/jump ", 6, []),
            ("/me greets an", 11, ["anna "]),
            ("//j", 0, []),
        ]:
            with self.subTest(before):
                self.assertEqual(complete(before, self.commands, PEOPLE), (start, found))

    def test_behind_the_first_word(self) -> None:
        completes = behind_first(last_word(lambda: ["one", "two"]))
        self.assertEqual(list(completes("12")), [])
        self.assertEqual(list(completes("12 t")), ["12 two"])


class Turns(TestCase):
    def setUp(self) -> None:
        self.buffer = Buffer(KillRing(), "hi b there")
        self.buffer.go(4)

    def texts(self, completing: Completing, *by: int) -> list[str]:
        texts = []
        for step in by:
            completing.turn(step)
            self.assertTrue(completing.stands(self.buffer))
            texts.append(self.buffer.text)
        return texts

    def test_the_next_and_the_one_before(self) -> None:
        completing = Completing(self.buffer, 3, ["Bob ", "bea "])
        self.assertEqual(
            self.texts(completing, 1, 1, 1, -1), [f"hi {name} there" for name in ("Bob", "bea", "Bob", "bea")]
        )
        self.buffer.insert("x")
        self.assertFalse(completing.stands(self.buffer))

    def test_back_begins_with_the_last(self) -> None:
        self.assertEqual(self.texts(Completing(self.buffer, 3, ["Bob ", "bea "]), -1), ["hi bea there"])

    def test_nothing_fits(self) -> None:
        self.assertEqual(self.texts(Completing(self.buffer, 3, []), 1), ["hi b there"])

    def test_taken_back(self) -> None:
        Completing(self.buffer, 3, ["Bob "]).turn(1)
        self.buffer.undo()
        self.assertEqual((self.buffer.text, self.buffer.cursor), ("hi b there", 4))


class Files(TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        for name in ("a file.txt", "a\x1b[2J", ".hidden", "b"):
            (self.folder / name).touch()
        Path(os.fsdecode(os.fsencode(self.folder) + b"/a\xff")).touch()
        (self.folder / "a folder").mkdir()

    def test_of_a_folder(self) -> None:
        here = str(self.folder)
        self.assertEqual(files(f"{here}/a"), [f"{here}/a file.txt", f"{here}/a folder/"])
        self.assertEqual(files(f"{here}/."), [f"{here}/.hidden"])
        self.assertEqual(len(files(f"{here}/")), 3)
        self.assertEqual(files(f"{here}/none/"), [])
        self.assertEqual(files("~no such user/"), [])
        self.assertEqual(files("\0/"), [])

    def test_one_goes_on_into_a_folder(self) -> None:
        buffer = Buffer(KillRing(), "a fo")
        self.assertFalse(Completing(buffer, 0, ["a folder/"]).goes_on)
        self.assertTrue(Completing(buffer, 0, ["a folder/", "a form"]).goes_on)
