"""What is sent from files, and what a message is called once it is saved."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from unittest import TestCase
from unittest.mock import patch

from cli.files import LONGEST, given, name_of, size_to_send
from cli.inbox import Message
from wire.names import BadName


def called(name: str | None) -> str:
    return name_of(Message("lobby", 7, "bob", 0, "", 5, name))


class Names(TestCase):
    def test_as_it_is(self) -> None:
        for name in ("x.sql", "a b.tar.gz", "谢谢.txt", "a", "x" * 150):
            self.assertEqual(called(name), name)
        self.assertEqual(called(None), "message-7.txt")

    def test_nothing_hidden_no_path_no_flag(self) -> None:
        for name in (
            "../x",
            "..",
            ".",
            ".bashrc",
            "/etc/passwd",
            "a/b",
            "a\\b",
            "-rf",
            "~",
            "~root",
            "",
            "a\nb",
            "\x1b]0;x\x07",
        ):
            found = called(name)
            self.assertTrue(found.isprintable() and "/" not in found and found[0] not in ".-~", found)
            self.assertEqual(Path("d", found).parent, Path("d"))

    def test_too_long(self) -> None:
        for name in ("ä" * 127, "x" * 250 + ".sql", "x." + "y" * 253):
            found = called(name)
            self.assertLessEqual(len(found.encode()), LONGEST)
        self.assertTrue(called("x" * 250 + ".sql").endswith("x.sql"))


class Given(TestCase):
    def test_with_or_without_quotes(self) -> None:
        with patch.dict(os.environ, HOME="/home/ann"):
            for argument, path in (
                ("a b.txt ", "a b.txt"), ("'a b.txt'", "a b.txt"), ('"it\'s"', "it's"), ("it's", "it's"),
                ("~/x", "/home/ann/x"), ("'", "'"), ("/x", "/x"),
            ):  # fmt: skip
                self.assertEqual(given(argument), Path(path))

    def test_no_path(self) -> None:
        for argument in ("", "  ", "''", "a\0b", "~nobody-is-called-so/x"):
            self.assertRaises(ValueError, given, argument)


class Sendable(TestCase):
    def test_size(self) -> None:
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"12345")
            file.flush()
            self.assertEqual(size_to_send(Path(file.name), "x"), 5)
            self.assertRaises(BadName, size_to_send, Path(file.name), "a\nb")
            self.assertRaises(BadName, size_to_send, Path(file.name), "\udcff")
        self.assertRaises(OSError, size_to_send, Path(file.name), "x")
        self.assertRaises(OSError, size_to_send, Path("/"), "x")
