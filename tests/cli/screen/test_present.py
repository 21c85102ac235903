"""Who is in a room."""

from __future__ import annotations

from unittest import TestCase

from cli.screen.present import MOST, Present


class Answers(TestCase):
    def setUp(self) -> None:
        self.present = Present()

    def test_who_comes_and_goes_before_the_answer(self) -> None:
        self.present.ask()
        self.present.come_and_go(["zoe", "tom"], ["bob"])
        self.present.come_and_go([], ["tom"])
        self.present.answer(["ann", "bob", "tom"])
        self.assertEqual(self.present.names, {"ann", "zoe"})

    def test_asked_once(self) -> None:
        self.assertTrue(self.present.lacks(found=True))
        self.present.ask()
        self.assertFalse(self.present.lacks(found=False))
        self.present.fail()
        self.assertTrue(self.present.lacks(found=True))
        self.present.answer(["ann"])
        self.assertFalse(self.present.lacks(found=False))

    def test_in_a_large_room_again_where_nobody_fits(self) -> None:
        self.present.ask()
        self.present.answer(["ann"])
        self.present.come_and_go([], [])
        self.assertEqual(self.present.names, {"ann"})
        self.assertEqual([self.present.lacks(found=found) for found in (True, False)], [False, True])
        self.present.ask()
        self.present.answer(["bob"])
        self.assertEqual((self.present.names, self.present.lacks(found=False)), ({"bob"}, False))

    def test_a_server_that_has_no_end_of_names(self) -> None:
        self.present.answer(f"u{number}" for number in range(2 * MOST))
        self.present.come_and_go(["zoe"], [])
        self.assertEqual(len(self.present.names), MOST)
