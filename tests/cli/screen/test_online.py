"""What comes from the server, without a terminal: how one is let in, and why not."""

from __future__ import annotations

from typing import Any, cast
from unittest.mock import Mock

from twisted.internet.defer import Deferred

from cli.screen.account import Account
from cli.screen.modes import Hold, Secret
from cli.screen.online import Online
from cli.screen.paste import Pasted
from cli.screen.talk import Talk
from cli.status import State
from tests.cli.screen.made import NOON, status
from tests.cli.screen.test_places import Typed


class LettingIn(Typed):
    def setUp(self) -> None:
        super().setUp()
        talk: Any = self.talk
        talk.pages, talk.places, talk.quit = Mock(), Mock(), Mock()
        talk.account = Account(cast(Talk, talk))
        self.modes = self.talk.writing.modes
        self.online = Online(cast(Talk, talk), Mock())
        self.conversation.server = "host:1"

    def ask(self, why: str = "needs it") -> Deferred[str | None]:
        return self.online.password(why)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.assertTrue(self.modes[-1].press(key))

    def give(self, password: str) -> None:
        self.press(Pasted(password), "enter")
        del self.modes[0]  # the question, which is over

    def test_what_is_typed_while_a_password_is_looked_at_goes_nowhere(self) -> None:
        typed: list[str | None] = []
        self.ask().addCallback(typed.append)
        self.give("wrong")
        self.assertEqual(typed, ["wrong"])
        [hold] = self.modes
        self.assertIsInstance(hold, Hold)
        self.press(Pasted("secret"), "enter", "meta 2")
        self.online.status_changed(status(State.LOST, reason="Connection refused", retry_at=NOON))
        self.assertEqual(self.modes, [hold])
        self.ask()
        [secret] = self.modes
        self.assertIsInstance(secret, Secret)
        self.assertIn("not this one", secret.prompt)
        self.give("secret")
        self.online.status_changed(status(State.LIVE))
        self.assertEqual(self.modes, [])

    def test_one_may_leave_meanwhile(self) -> None:
        self.ask()
        self.give("secret")
        self.press("esc")
        cast(Any, self.talk).quit.assert_called_once_with()

    def test_what_was_typed_before_is_not_sent(self) -> None:
        self.ask()
        self.assertEqual(self.talk.writing.taken_back, 1)
        self.conversation.tell(status(State.LIVE))
        self.ask()  # it was changed meanwhile
        self.assertEqual(self.talk.writing.taken_back, 1)

    def test_a_reason_is_told_once_and_whole(self) -> None:
        for _ in range(2):
            self.online.status_changed(status(State.LOST, reason="the server hung up"))
        self.assertEqual(self.said(), "host:1: the server hung up")
        self.online.status_changed(status(State.LOST, reason="Connection refused"))
        self.assertEqual(self.said(), "host:1: Connection refused")
        self.ask()
        self.online.status_changed(status(State.LOST, reason="needs it"))
        self.assertEqual(self.said(), "")  # that is asked for
        self.give("secret")
        self.online.status_changed(status(State.LOST, reason="needs it"))
        self.assertEqual(self.said(), "")  # and still is the reason while that is tried
        self.online.status_changed(status(State.LIVE))
        self.online.status_changed(status(State.LOST, reason="broken off on the way"))
        self.assertEqual(self.said(), "")  # who was in is told beside the rest

    def test_a_server_that_refuses_who_was_in_is_told_once_and_whole(self) -> None:
        for _ in range(2):
            self.online.status_changed(status(State.LIVE))
            self.online.status_changed(status(State.LOST, reason="the server hung up"))
            self.assertEqual(self.said(), "")
            for reason in ("somebody stands between", "too many logins"):
                self.online.status_changed(status(State.LOST, reason=reason, refused=True))
                self.assertEqual(self.said(), f"host:1: {reason}")
            for reason in ("somebody stands between", "too many logins"):  # at the next tries
                self.online.status_changed(status(State.LOST, reason=reason, refused=True))
                self.online.status_changed(status(State.LOST, reason="Connection refused"))
            self.assertEqual(self.said(), "")
