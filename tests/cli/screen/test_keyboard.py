"""Bytes become keys."""

from __future__ import annotations

from unittest import TestCase

from twisted.internet.task import Clock

from cli.screen.keyboard import PATIENCE, Key, Keyboard
from cli.screen.paste import Pasted


class Keys(TestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.keys: list[Key] = []
        self.answers: list[tuple[str, int]] = []
        self.keyboard = Keyboard(self.clock, self.keys.extend, lambda *answer: self.answers.append(answer))

    def test_cut_anywhere(self) -> None:
        sent = "ä\x1b[5~\x1b\r\x1b[200~one\rtwo\x1b[201~after\x1b[<0;3;4M\x01".encode()
        keys = ["ä", "page up", "meta enter", "one\ntwo", "after", ("mouse press", 1, 2, 3), "ctrl a"]
        for cut in range(len(sent) + 1):
            with self.subTest(cut):
                self.keys.clear()
                self.keyboard.take(sent[:cut])
                self.keyboard.take(sent[cut:])
                self.assertEqual("".join(map(str, self.keys)), "".join(map(str, keys)))
        self.assertFalse(self.clock.getDelayedCalls())

    def test_a_paste_and_what_is_typed_behind_it_are_two(self) -> None:
        self.keyboard.take(b"a\x1b[200~b\x1b[201~cd")
        self.assertEqual(self.keys, ["a", "b", "cd"])
        self.assertTrue(all(isinstance(key, Pasted) for key in self.keys))

    def test_esc_is_a_key_when_nothing_follows(self) -> None:
        self.keyboard.take(b"\x1b")
        self.clock.advance(PATIENCE * 0.9)
        self.assertEqual(self.keys, [])
        self.clock.advance(PATIENCE)
        self.assertEqual(self.keys, ["esc"])

    def test_what_begins_in_time_is_waited_for_anew(self) -> None:
        self.keyboard.take(b"\x1b")
        self.clock.advance(PATIENCE * 0.9)
        self.keyboard.take(b"[")
        self.clock.advance(PATIENCE * 0.9)
        self.keyboard.take(b"A")
        self.assertEqual(self.keys, ["up"])

    def test_answers_are_no_keys(self) -> None:
        self.keyboard.take(b"a\x1b[?2026;2$yb\x1b[4;5R")
        self.assertEqual(self.answers, [("2026", 2)])
        self.assertEqual(self.keys, ["ab"])

    def test_stopped_it_waits_for_nothing(self) -> None:
        for begun in (b"\x1b", b"\x1b[200~half"):
            self.keyboard.take(begun)
            self.keyboard.stop()
            self.assertFalse(self.clock.getDelayedCalls())
        self.assertEqual(self.keys, [])
