"""Where one was last time."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import TestCase

from cli.last_server import LastServer


class LastServerTests(TestCase):
    def setUp(self) -> None:
        self.path = Path(self.enterContext(TemporaryDirectory())) / "state" / "server.json"
        self.last = LastServer(self.path)

    def test_it_is_remembered(self) -> None:
        self.assertIsNone(self.last.recall())
        self.last.remember("example.org", 99, True)
        self.assertEqual(LastServer(self.path).recall(), ("example.org", 99, True))

    def test_nonsense_is_nothing(self) -> None:
        self.path.parent.mkdir()
        for text in (
            b"",
            b"\xff",
            b"{}",
            b"[1, 2, true]",
            b'["a", 0, true]',
            b'["a", "b", true]',
            b'["a", 1, 2]',
            b'["a", 1]',
            b'"ab"',
            b"7",
            b"[" * 5000,
        ):
            self.path.write_bytes(text)
            self.assertIsNone(self.last.recall(), text[:20])

    def test_where_it_cannot_be_kept_it_is_not(self) -> None:
        LastServer(Path("/proc/nowhere/server.json")).remember("a", 1, False)
