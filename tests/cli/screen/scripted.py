"""The terminal interface with a client that does as it is told by what is typed. Started by the tests as a program."""

from __future__ import annotations

import os
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from twisted.internet.defer import Deferred, DeferredQueue, fail, succeed
from twisted.internet.task import react

from cli.client import Client
from cli.inbox import Message
from cli.refusals import AskRefused, ClientClosed, LoginRefused, SendRefused
from cli.screen import talk
from cli.settings import Settings
from cli.status import Listener, Progress, State, Status
from tests.attacks import ATTACKS
from wire.frames import MAX_BODY, RoomInfo


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


class ScriptedClient:
    """Gives back what is sent, unless it is a command to it: ``!flood 300``, ``!refuse``, ``!break`` …"""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._messages: DeferredQueue[Message] = DeferredQueue()
        self._id = 0
        self._said: list[Message] = []
        self._contents: dict[int, str] = {}
        self._under_way: Deferred[None] = Deferred()
        self._unsent = 0

    def start(self) -> Deferred[Client]:
        if sys.argv[1:] == ["refuse"]:
            return fail(LoginRefused("name_taken", "somebody else is ann"))
        self._listener.room_opened("lobby", 1, 0)
        self._tell(State.LIVE)
        return succeed(cast(Client, self))

    def read_msg(self) -> Deferred[Message]:
        return self._messages.get()

    def send_msg(self, text: str, room: str = "lobby") -> Deferred[int | None]:
        word, _, rest = text.partition(" ")
        match word:
            case "!refuse":
                return fail(SendRefused("forbidden", rest))
            case "!closed":
                return fail(ClientClosed(rest))
            case "!flood":
                for number in range(int(rest)):
                    self._say(f"line {number + 1}", "bob")
            case "!from":
                self._say("look at my name", eval(rest))
            case "!say":
                self._say(eval(rest), "bob")
            case "!soon":  # when it is drawn, if it is, a mark is written beside the interface
                from twisted.internet import reactor

                cast(Any, reactor).callLater(0.1, self._say, rest, "bob")
                cast(Any, reactor).callLater(0.5, os.write, 1, b"MARK")
            case "!attack":
                for attack in ATTACKS.values():
                    self._attack(rest, attack)
            case "!lost":
                self._tell(State.LOST, reason=rest)
            case "!go":
                self._under_way.callback(None)
            case "!count":  # what was sent before
                said = self._contents[self._id]
                self._say(f"{len(said)} characters, {digest(said)}", "bob")
            case "!left":
                self._listener.resent("lobby", eval(rest))
            case "!keep":
                self._unsent += 1
                self._tell(State.LIVE)
                return Deferred()
            case "!raise":
                raise RuntimeError(rest)
            case "!break":
                return succeed(cast(int, "no number"))
        return succeed(self._say(text, "ann"))

    def send_file(self, path: Path, room: str, *, progress: Progress) -> Deferred[int | None]:
        """Half of it is through at once; the rest when ``!go`` is sent."""
        size = path.stat().st_size
        progress(size // 2, size)
        self._under_way = Deferred()
        return self._under_way.addCallback(lambda _: self._say("", "ann", size=size, name=path.name))

    def save(self, id: int, path: Path, room: str, *, progress: Progress) -> Deferred[int]:
        content = self._contents[id].encode()
        progress(len(content) // 2, len(content))

        def write(_: None) -> int:
            with path.open("xb") as file:
                return file.write(content)

        self._under_way = Deferred()
        return self._under_way.addCallback(write)

    def history(self, room: str, limit: int, before: int) -> Deferred[list[Message]]:
        return succeed(self._said[max(0, before - 1 - limit) : before - 1])

    def list_rooms(self) -> Deferred[dict[str, RoomInfo]]:
        return succeed({})

    def run(self, line: str, room: str) -> Deferred[list[str]]:
        return fail(AskRefused("forbidden", "this server does not offer it"))

    def who(self, room: str) -> Deferred[list[str]]:
        return succeed(["ann", "zoe"])

    def register(self, password: str, old: str | None) -> Deferred[None]:
        """Say what was asked, and do it unless the old one is wrong."""
        self._say(f"register {password} {old}", "bob")
        return fail(AskRefused("auth_failed", "the password is wrong")) if old == "wrong" else succeed(None)

    def close(self) -> Deferred[None]:
        return succeed(None)

    def _say(self, text: str, sender: str, size: int | None = None, name: str | None = None) -> int:
        self._id += 1
        self._contents[self._id] = text
        if len(text) > MAX_BODY:
            text, size = text[:4096], len(text.encode())
        message = Message("lobby", self._id, sender, 1_764_000_000_000, text, size, name)
        self._said.append(message)
        self._messages.put(message)
        return self._id

    def _attack(self, where: str, attack: str) -> None:
        match where:
            case "text":
                self._say(attack, "bob")
            case "deed":
                self._say(f"/me {attack}", "bob")
            case "name":
                self._say("look at my name", attack)
            case "file":
                self._say("", "bob", size=1, name=attack)
            case "notice":
                self._listener.notice("x", attack)
            case "people":
                self._listener.presence("lobby", [attack], ["bob", attack], 7)
            case "reason":
                self._tell(State.LOST, attack)
            case "room":
                self._listener.room_opened("lobby", 1, self._id)
                self._listener.room_opened(attack, 1, 0)

    def _tell(self, state: State, reason: str = "") -> None:
        self._listener.status_changed(Status(state, 0, self._unsent, 1_764_000_000.0, None, reason, None))


def make(listener: Listener) -> Client:
    return cast(Client, ScriptedClient(listener))


async def main(reactor: Any) -> None:
    settings = Settings(screen="curses" if sys.argv[1:] == ["curses"] else "raw")
    raise SystemExit(await talk.run(reactor, make, ["lobby"], "ann", settings))


if __name__ == "__main__":
    react(main)
