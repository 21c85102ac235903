"""Pastes in the bytes of a terminal."""

from __future__ import annotations

from unittest import TestCase
from unittest.mock import patch

from twisted.internet.task import Clock

from cli.screen import paste
from cli.screen.paste import SILENCE, Pasted, Pastes, TooLong


class PastedBytes(TestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.given: list[str] = []
        self.pastes = Pastes(self.clock, self.given.append)

    def take(self, *reads: bytes) -> list[tuple[bytes, str | None]]:
        return [found for data in reads for found in self.pastes.take(data)]

    def test_among_keys(self) -> None:
        found = self.take(b"a\x1b[200~b\rc\r\nd\t\x1b[A\x1b[201~e\x1b[200~f\x1b[201~")
        self.assertEqual(found, [(b"a", "b\nc\nd\t\x1b[A"), (b"e", "f"), (b"", None)])
        self.assertIsInstance(found[0][1], Pasted)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_cut_anywhere(self) -> None:
        data = "\x1b[200~ä\U0001f469\x1b[201\x1b[201~\r".encode()
        for first in range(6, len(data)):
            for second in range(first, len(data)):
                found = self.take(data[:first], data[first:second], data[second:])
                self.assertEqual([paste for _, paste in found if paste is not None], ["ä\U0001f469\x1b[201"])
                self.assertEqual(b"".join(keys for keys, _ in found), b"\r")

    def test_without_an_end(self) -> None:
        self.take(b"\x1b[200~a")
        self.clock.advance(SILENCE - 0.1)
        self.take(b"b")
        self.clock.advance(SILENCE - 0.1)
        self.assertEqual(self.given, [])
        self.clock.advance(0.2)
        self.assertEqual(self.given, ["ab"])
        self.assertEqual(self.take(b"\r"), [(b"\r", None)])

    def test_too_long(self) -> None:
        with patch.object(paste, "LONGEST_PASTE", 100):
            found = self.take(b"\x1b[200~", b"x" * 99, b"y" * 500, b"\x1b[20", b"1~z\x1b[200~short\x1b[201~")
        self.assertEqual([type(text) for _, text in found if text is not None], [TooLong, Pasted])
        self.assertEqual(found[-2][1], "short")
