"""Pauses behind wrong passwords: they grow, and whoever has the password does not wait for others."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from server import guesses
from server.guesses import FREE, FREE_FROM, KEPT, LONGEST, MOST, Guesses

HERE, THERE, HOME = "10.0.0.1", "10.0.0.2", None


class GuessesTests(TestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.guesses = Guesses(self.clock)

    def guess(self, count: int, user: str = "ann", address: str | None = HERE) -> list[float]:
        """Guess wrong so often, each time after the pause; return how long the pauses were."""
        pauses = []
        for _ in range(count):
            pauses.append(self.guesses.pause(user, address))
            self.clock.advance(pauses[-1])
            self.guesses.wrong(user, address)
        return pauses

    def test_they_grow(self) -> None:
        self.assertEqual(self.guess(10), [0] * (FREE + 1) + [1, 2, 4, 8, LONGEST, LONGEST])

    def test_they_pass(self) -> None:
        self.guess(FREE + 2)
        self.assertEqual(self.guesses.pause("ann", HERE), 2)
        self.clock.advance(1.5)
        self.assertEqual(self.guesses.pause("ann", HERE), 0.5)
        self.clock.advance(KEPT)
        self.assertEqual(self.guess(2), [0, 0])

    def test_the_owner_elsewhere_does_not_wait(self) -> None:
        for number in range(50):
            self.guess(10, address=f"10.1.0.{number}")
        self.assertEqual(self.guesses.pause("ann", THERE), 0)
        self.assertEqual(self.guesses.pause("bob", HERE), 0)

    def test_those_who_guess_at_one_account_from_many_addresses_wait_for_all_of_them(self) -> None:
        for number in range(20):
            self.guess(1, address=f"10.1.0.{number}")
        self.assertEqual(self.guesses.pause("ann", "10.1.0.19"), LONGEST)

    def test_from_one_address_at_many_accounts(self) -> None:
        pauses = [pause for number in range(FREE_FROM + 5) for pause in self.guess(1, f"user{number}")]
        self.assertEqual(pauses, [0] * (FREE_FROM + 1) + [1, 2, 4, 8])
        self.assertEqual(self.guesses.pause("new", HERE), LONGEST)
        self.assertEqual(self.guesses.pause("new", THERE), 0)

    def test_this_machine_waits_by_account_alone(self) -> None:
        for number in range(3 * FREE_FROM):
            self.guess(1, f"user{number}", HOME)
        self.assertEqual(self.guesses.pause("ann", HOME), 0)
        self.guess(FREE + 1, address=HOME)
        self.assertEqual(self.guesses.pause("ann", HOME), 1)

    def test_who_mistyped_is_forgiven(self) -> None:
        for _ in range(FREE_FROM):
            self.assertEqual(self.guess(2), [0, 0])
            self.guesses.right("ann", HERE)
        self.assertEqual(self.guesses.pause("ann", HERE), 0)
        self.assertEqual(self.guesses.pause("bob", HERE), 0)

    def test_what_is_forgotten_is_not_forgiven(self) -> None:
        self.guess(20, "own")
        self.clock.advance(KEPT)
        for number in range(FREE_FROM + 4):
            self.guess(1, f"user{number}")
        self.guesses.right("own", HERE)
        self.assertEqual(self.guesses.pause("new", HERE), 8)

    def test_a_right_one_elsewhere_forgives_nobody(self) -> None:
        self.guess(FREE + 3)
        self.guesses.right("ann", THERE)
        self.assertEqual(self.guesses.pause("ann", HERE), 4)

    def test_not_more_are_remembered_than_a_bound(self) -> None:
        self.patch(guesses, "MOST", 30)
        self.guess(FREE + 1, "first")
        for number in range(100):
            self.guess(1, f"user{number}", f"10.2.0.{number}")
        self.assertEqual(self.guesses.pause("first", HERE), 0)
        self.assertLessEqual(len(self.guesses._wrong), 30)
        self.assertGreater(MOST, 1000)
