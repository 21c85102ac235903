"""Words that one wants to see."""

from __future__ import annotations

from unittest import TestCase

from cli.screen.highlights import Highlights


class Words(TestCase):
    def test_whole_words_in_any_case(self) -> None:
        found = Highlights(["ann", "c++", "ann_2"])
        for text in ("ann", "hello ANN!", "ann: hi", "@ann", "use C++.", "is ann_2 here?"):
            self.assertTrue(found.match(text), text)
        for text in ("", "anna", "joann", "ann_3", "c+"):
            self.assertFalse(found.match(text), text)

    def test_where_they_are(self) -> None:
        self.assertEqual(list(Highlights(["ann"]).spans("ann and Ann")), [(0, 3), (8, 11)])

    def test_none(self) -> None:
        self.assertFalse(Highlights([]).match("anything"))
