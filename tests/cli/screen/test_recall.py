"""What was typed before."""

from __future__ import annotations

from unittest import TestCase

from cli.screen.recall import RECALLED, Recall


class RecalledInputs(TestCase):
    def test_back_and_forth(self) -> None:
        recall = Recall()
        recall.enter("one")
        recall.enter("two")
        self.assertEqual(recall.step(-1, "half"), "two")
        self.assertEqual(recall.step(-1, "two"), "one")
        self.assertEqual(recall.step(-1, "one"), "one")
        self.assertEqual(recall.step(1, "one"), "two")
        self.assertEqual(recall.step(1, "two"), "half")
        self.assertEqual(recall.step(1, "half"), "half")

    def test_a_changed_line_is_not_lost_until_one_is_entered(self) -> None:
        recall = Recall()
        recall.enter("one")
        recall.step(-1, "")
        self.assertEqual(recall.step(1, "one more"), "")
        self.assertEqual(recall.step(-1, ""), "one more")
        recall.enter("two")
        recall.step(-1, "")
        self.assertEqual(recall.step(-1, "two"), "one")

    def test_bound(self) -> None:
        recall = Recall()
        for number in range(RECALLED + 5):
            recall.enter(str(number))
        text = ""
        for _ in range(RECALLED + 5):
            text = recall.step(-1, text)
        self.assertEqual(text, "5")
