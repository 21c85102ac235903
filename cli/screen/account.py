"""The account of whoever talks: how one gets it, and what its password is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from cli.refusals import UNANSWERED, why
from cli.screen.modes import Secret

if TYPE_CHECKING:
    from cli.screen.talk import Talk


class Account:
    """Asks for passwords, for ``talk``, its client and the server."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        add = talk.commands.add
        add("register", self._register, "take your name for good, by a password", subject="account", private=True)
        add("passwd", self._change, "change your password", subject="account", private=True)

    def ask(self, what: str) -> Deferred[str | None]:
        """Return the password that is typed, unseen; None where the person has thought better of it."""
        typed: Deferred[str | None] = Deferred()
        self._talk.writing.let(Secret(what, typed.callback), everywhere=True)
        self._talk.changed()
        return typed

    def _register(self, argument: str) -> None:
        if self._is_alone(argument):
            self._talk.begin(self._ask_for_account())

    def _change(self, argument: str) -> None:
        if self._is_alone(argument):
            self._talk.begin(self._ask_for_change())

    def _is_alone(self, argument: str) -> bool:
        if argument.strip():
            self._talk.say("the password is asked for, so that nobody sees it: type nothing behind the command")
        return not argument.strip()

    async def _ask_for_account(self) -> None:
        if password := await self._new():
            await self._tell(password, None, f"{self._talk.conversation.user} needs this password from now on")

    async def _ask_for_change(self) -> None:
        old = await self.ask("the password until now")
        if old and (password := await self._new()):
            await self._tell(password, old, "the password is changed")

    async def _new(self) -> str | None:
        """Return a new password, typed twice; None where the person has thought better of it."""
        what = "a new password"
        while password := await self.ask(what):
            again = await self.ask("once more")
            if again in (password, None):
                return again
            what = "these were two different ones; a new password"  # what is typed now must go nowhere else
        return None

    async def _tell(self, password: str, old: str | None, done: str) -> None:
        try:
            await self._talk.client.register(password, old)
        except UNANSWERED as wrong:
            self._talk.say(f"the password is not changed: {why(wrong)}")
        else:
            self._talk.say(done)
            self._talk.orders.learn()  # who has an account may do more
