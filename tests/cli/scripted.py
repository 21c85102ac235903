"""The terminal interface with a client that does as it is told by what is typed. Started by the tests as a program."""

from __future__ import annotations

import sys
from typing import Any, cast

from twisted.internet.defer import Deferred, DeferredQueue, fail, succeed
from twisted.internet.task import react

from cli import screen
from cli.client import Client
from cli.inbox import Message
from cli.refusals import LoginRefused, SendRefused
from cli.status import Listener, State, Status


class ScriptedClient:
    """Gives back what is sent, unless it is a command to it: ``!flood 300``, ``!refuse``, ``!break`` …"""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._messages: DeferredQueue[Message] = DeferredQueue()
        self._id = 0
        listener.room_opened("lobby", 1, 0)
        self._tell(State.LIVE)

    def read_msg(self) -> Deferred[Message]:
        return self._messages.get()

    def send_msg(self, text: str, room: str = "lobby") -> Deferred[int | None]:
        word, _, rest = text.partition(" ")
        match word:
            case "!refuse":
                return fail(SendRefused("forbidden", rest))
            case "!flood":
                for number in range(int(rest)):
                    self._say(f"line {number + 1}", "bob")
            case "!from":
                self._say("look at my name", eval(rest))
            case "!say":
                self._say(eval(rest), "bob")
            case "!lost":
                self._tell(State.LOST, reason=rest)
            case "!keep":
                return Deferred()
            case "!raise":
                raise RuntimeError(rest)
            case "!break":
                return succeed(cast(int, "no number"))
        return succeed(self._say(text, "ann"))

    def close(self) -> Deferred[None]:
        return succeed(None)

    def _say(self, text: str, sender: str) -> int:
        self._id += 1
        self._messages.put(Message("lobby", self._id, sender, 1_764_000_000_000, text))
        return self._id

    def _tell(self, state: State, reason: str = "") -> None:
        self._listener.status_changed(Status(state, 0, 0, 1_764_000_000.0, None, reason, None))


def connect(listener: Listener) -> Deferred[Client]:
    if sys.argv[1:] == ["refuse"]:
        return fail(LoginRefused("name_taken", "somebody else is ann"))
    return succeed(cast(Client, ScriptedClient(listener)))


async def talk(reactor: Any) -> None:
    raise SystemExit(await screen.run(reactor, connect, ["lobby"], "ann"))


if __name__ == "__main__":
    react(talk)
