"""The conversation without a terminal."""

from __future__ import annotations

from unittest import TestCase

from cli.screen.conversation import Conversation
from cli.screen.highlights import Highlights
from cli.status import State
from cli.words import clock
from tests.cli.screen.made import NOON, message, status


class Conversations(TestCase):
    def setUp(self) -> None:
        self.conversation = Conversation("ann", ["lobby", "dev"], Highlights(["ann"]))
        self.conversation.status = status(State.LIVE)

    def line(self) -> str:
        return self.conversation.status_line(NOON)

    def test_what_comes_in_another_room_is_counted(self) -> None:
        self.conversation.add(message(1, room="dev"))
        self.assertEqual(self.line(), "live · [lobby] dev(1) · ann")
        self.conversation.turn(1)
        self.assertEqual(self.line(), "live · lobby [dev] · ann")

    def test_what_comes_below_the_screen_is_counted(self) -> None:
        self.conversation.add(message(1))
        self.conversation.current.look_at(0)
        self.conversation.add(message(2))
        self.conversation.add(message(3))
        self.assertEqual(self.line(), "↓ 2 new · live · [lobby] dev · ann")

    def test_spellings_of_a_room_are_one(self) -> None:
        self.assertIs(self.conversation.room("LOBBY"), self.conversation.current)

    def test_people(self) -> None:
        self.conversation.current.users = 3
        self.assertIn("3 here", self.line())

    def test_states(self) -> None:
        noon = clock(NOON)
        for state, shown in [
            (None, "connecting"),
            (status(State.CONNECTING), "connecting"),
            (status(State.LIVE, lag=0.2), "live"),
            (status(State.LIVE, lag=0.7), "live, lag 700 ms"),
            (status(State.BEHIND, behind=12, unsent=3), "behind by 12, unsent 3"),
            (
                status(State.LOST, retry_at=NOON + 3.2, unsent=1, reason="shutting down"),
                f"lost since {noon}, next try in 4 s, unsent 1, shutting down",
            ),
            (status(State.LOST), f"lost since {noon}, trying again"),
            (status(State.CLOSED, reason="kicked"), f"closed since {noon}, kicked"),
        ]:
            with self.subTest(shown):
                self.conversation.status = state
                self.assertEqual(self.line().split(" · ")[0], shown)
