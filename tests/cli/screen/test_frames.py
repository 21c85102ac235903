"""When it is drawn."""

from __future__ import annotations

from unittest import TestCase

from twisted.internet.task import Clock

from cli.screen.frames import ECHO, NEWS, Frames


class Drawings(TestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(100)
        self.drawn: list[float] = []
        self.frames = Frames(self.clock, lambda: self.drawn.append(self.clock.seconds()))

    def test_the_first_change_is_drawn_at_once(self) -> None:
        self.frames.changed()
        self.assertEqual(self.drawn, [])  # not before what else changes in this turn
        self.clock.advance(0)
        self.assertEqual(self.drawn, [100])

    def test_many_changes_are_drawn_a_few_times(self) -> None:
        for _ in range(1000):
            self.frames.changed()
            self.clock.advance(0.001)
        self.assertLessEqual(len(self.drawn), 1 / NEWS + 1)
        self.assertGreaterEqual(len(self.drawn), 0.9 / NEWS)

    def test_a_key_does_not_wait_for_what_comes_by_itself(self) -> None:
        self.frames.changed()
        self.clock.advance(0)
        self.frames.changed()
        self.frames.changed(ECHO)
        self.frames.changed()
        self.clock.advance(0)
        self.assertEqual(self.drawn, [100, 100])

    def test_keys_that_come_faster_are_drawn_together(self) -> None:
        for _ in range(2):
            self.frames.changed(ECHO)
            self.clock.advance(0)
        self.frames.changed(ECHO)
        self.assertEqual(self.drawn, [100])
        self.clock.advance(ECHO)
        self.assertEqual(self.drawn, [100, 100 + ECHO])
        self.clock.advance(1)
        self.assertEqual(len(self.drawn), 2)

    def test_what_comes_by_itself_waits_after_a_key_too(self) -> None:
        self.frames.changed(ECHO)
        self.clock.advance(0)
        self.frames.changed()
        self.clock.advance(NEWS * 0.9)
        self.assertEqual(self.drawn, [100])
        self.clock.advance(NEWS * 0.1)
        self.assertEqual(len(self.drawn), 2)

    def test_who_types_while_others_talk_draws_30_times_a_second_at_most(self) -> None:
        for millisecond in range(1000):
            self.frames.changed()
            if millisecond % 100 == 0:  # a fast typist
                self.frames.changed(ECHO)
            self.clock.advance(0.001)
        self.assertLessEqual(len(self.drawn), 30)

    def test_stopped(self) -> None:
        self.frames.changed()
        self.frames.stop()
        self.assertFalse(self.clock.getDelayedCalls())
        self.frames.changed()
        self.clock.advance(NEWS)
        self.assertEqual(len(self.drawn), 1)
