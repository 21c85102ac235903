"""Pastes in the bytes of a terminal."""

from __future__ import annotations

from unittest import TestCase
from unittest.mock import patch

from twisted.internet.task import Clock

from cli.screen import paste
from cli.screen.paste import SILENCE, TOO_LONG, Pasted, Pastes, Question


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
        with patch.object(paste, "MOST", 100):
            found = self.take(b"\x1b[200~", b"x" * 99, b"y" * 500, b"\x1b[20", b"1~z\x1b[200~short\x1b[201~")
        self.assertEqual([text for _, text in found if text is not None], [TOO_LONG, "short"])
        self.assertNotIsInstance(found[-3][1], Pasted)


class Questions(TestCase):
    def setUp(self) -> None:
        self.did: list[str] = []
        self.question = Question("one\ntwo\n", self.did.append, lambda: self.did.append("sent"))

    def press(self, *keys: str) -> None:
        for key in keys:
            self.assertTrue(self.question.press(key))

    def test_it_tells_how_much_it_is(self) -> None:
        self.assertEqual(self.question.prompt, "paste 2 lines, 8 bytes? Enter sends, e edits, Esc drops")

    def test_answers(self) -> None:
        for key, did in (
            ("enter", ["one\ntwo\n", "sent"]),
            (Pasted("e"), ["one\ntwo\n"]),
            ("esc", []),
            ("ctrl c", []),
        ):
            self.setUp()
            self.press(key)
            self.assertEqual((self.did, self.question.over), (did, True))

    def test_nothing_else_goes_anywhere(self) -> None:
        self.press(Pasted("hello"), Pasted("enter"), Pasted("esc"), "up", "tab", "ctrl d", "backspace")
        self.assertEqual((self.did, self.question.over), ([], False))

    def test_what_is_pasted_meanwhile_joins(self) -> None:
        self.press(Pasted("three\nfour"), Pasted("e"))
        self.assertEqual(self.did, ["one\ntwo\nthree\nfour"])
