"""What one has the server do: its own commands, which it lists, are run as those here are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from cli.refusals import UNANSWERED, AskRefused, why
from cli.screen.numbered import Numbered
from cli.screen.told import SERVER

if TYPE_CHECKING:
    from cli.screen.talk import Talk

LONGEST = 100  # characters of a command's usage, or of its help
MOST = 100  # commands that a server may have


class Orders:
    """Has commands for ``talk``, and learns which ones the server has: by its ``help``, which lists one a line."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._numbered = Numbered(talk.conversation)
        self._learnt: set[str] = set()
        self._offered = False  # the server has commands, if only for others
        talk.commands.add(
            "run", self._run, "have the server do something; /run help tells what it can", "COMMAND", subject=SERVER
        )

    def learn(self) -> Deferred[None]:
        """Have the server's commands too, as far as there are none of those names here; fires when they are known."""
        return self._order("help").addCallbacks(self._take, _unanswered)

    def try_unknown(self, name: str, rest: str) -> None:
        """Run a command that is not known here; the server may have one of that name by now."""
        self._talk.conversation.current.follow()  # the answer wants to be seen
        self.learn().addCallback(lambda _: self._try(name, rest)).addErrback(self._talk.failed)

    def tell_of(self, name: str, unknown: str) -> None:
        """Say what the server tells of its command ``name``, or ``unknown`` where it has none of that name."""

        def tell(texts: list[str]) -> None:
            self._talk.say("\n".join(texts))

        self.learn().addCallback(lambda _: self._ask_of(name, tell, unknown)).addErrback(self._talk.failed)

    def _try(self, name: str, rest: str) -> Deferred[None] | None:
        if name in self._learnt:
            self._run(f"{name} {rest}")
            return None
        return self._ask_of(name, lambda _: self._run(f"{name} {rest}"), self._unknown(name))

    def _ask_of(self, name: str, told: Callable[[list[str]], None], unknown: str) -> Deferred[None]:
        """Have what the server tells of its command ``name``; say that it is not for everybody, or ``unknown``."""

        def untold(failure: Failure) -> None:
            failure.trap(*UNANSWERED)
            is_for_others = isinstance(wrong := failure.value, AskRefused) and wrong.code == "forbidden"
            self._talk.say(why(wrong) if is_for_others else unknown)

        if self._offered and name.isascii() and name.isalpha():
            return self._order(f"help {name}").addCallbacks(told, untold)
        self._talk.say(unknown)
        return succeed(None)

    def _unknown(self, name: str) -> str:
        meant = self._talk.commands.nearest(name)
        hint = f"do you mean /{meant}? " if meant else ""
        return f"there is no /{name}; {hint}/help tells what there is, and // begins a text with a slash"

    def _take(self, texts: list[str]) -> None:
        self._offered = True
        for line in "\n".join(texts).splitlines()[:MOST]:
            usage, _, help = line.partition(" — ")
            name, _, takes = usage.partition(" ")
            if name in self._learnt or (name.isascii() and name.isalpha() and not self._talk.commands.get(name)):
                self._learnt.add(name)
                run = partial(self._run_named, name)
                self._add(name, run, help[:LONGEST], takes[:LONGEST])

    def _add(self, name: str, run: Callable[[str], None], help: str, takes: str) -> None:
        if takes.split() == ["ID"]:
            help, by = f"{help}; Tab goes through the IDs", self._numbered
            self._talk.commands.add(name, run, help, takes, by.offered, tells=by.told, subject=SERVER)
        else:
            self._talk.commands.add(name, run, help, takes, subject=SERVER)

    def _run_named(self, name: str, rest: str) -> None:
        self._run(f"{name} {rest}")

    def _run(self, line: str) -> None:
        if not line.strip():
            self._talk.say("have the server do what? /run help tells what it can")
            return
        self._answer(self._order(line.strip()).addCallback(lambda texts: self._talk.say("\n".join(texts) or "done")))

    def _order(self, line: str) -> Deferred[list[str]]:
        return self._talk.client.run(line, self._talk.conversation.current.name)

    def _answer(self, answer: Deferred[None]) -> None:
        """Say why, where there is no answer."""

        def unanswered(failure: Failure) -> None:
            failure.trap(*UNANSWERED)
            self._talk.say(why(failure.value))

        self._talk.conversation.current.follow()  # the answer wants to be seen
        answer.addErrback(unanswered).addErrback(self._talk.failed)


def _unanswered(failure: Failure) -> None:
    failure.trap(*UNANSWERED)  # a server that has none
