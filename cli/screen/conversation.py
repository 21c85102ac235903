"""The conversation as one person sees it, without a terminal.

What came from the server and what was typed goes in; what the screen shows is a function of what is here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from cli.inbox import Message
from cli.screen.highlights import Highlights
from cli.screen.lines import Kind, Line
from cli.screen.room import Room
from cli.status import State, Status
from cli.words import amount, clock
from wire.names import fold

NAME = 24  # columns of the status line for a file's name
SLOW = 0.5  # seconds; a server that answers sooner is not worth a word


@dataclass(slots=True, eq=False)
class Transfer:
    """A file that is being sent or saved: ``done`` bytes of ``size``, which is None while it is not known."""

    doing: str
    name: str
    done: int = 0
    size: int | None = None

    @property
    def words(self) -> str:
        """How far it is, for a person."""
        name = self.name if len(self.name) <= NAME else f"{self.name[: NAME - 1]}…"
        far = amount(self.done) if self.size is None else f"{100 * self.done // max(self.size, 1)} %"
        return f"{self.doing} {name} {far}"


class Conversation:
    """The rooms that one user is in, and which of them is shown."""

    def __init__(self, user: str, rooms: list[str], highlights: Highlights) -> None:
        self.user = user
        self.highlights = highlights
        self.status: Status | None = None  # None before anything is known
        self.transfers: list[Transfer] = []  # that are under way
        self._rooms = {fold(name): Room(name) for name in rooms}
        self.current = next(iter(self._rooms.values()))

    @property
    def rooms(self) -> list[Room]:
        """All rooms, in the order in which they were opened."""
        return list(self._rooms.values())

    def room(self, name: str) -> Room:
        """Return the room of that name, which is opened where it was not."""
        return self._rooms.setdefault(fold(name), Room(name))

    def add(self, message: Message) -> None:
        """Show the next message that came."""
        room = self.room(message.room)
        room.add(message)
        if room is not self.current or not room.follows:
            room.unread += 1

    def notice(self, text: str, at: float) -> None:
        """Say something of the program's own in the room that is shown."""
        self.current.show([Line(Kind.NOTICE, text, at, "-")])

    def turn(self, by: int) -> None:
        """Show the room ``by`` places further on."""
        rooms = self.rooms
        self.current = rooms[(rooms.index(self.current) + by) % len(rooms)]
        if self.current.follows:
            self.current.unread = 0

    def status_line(self, now: float) -> str:
        """Return the state of the connection and of the rooms; ``now`` by the reactor's clock."""
        rooms = " ".join(self._room_word(room) for room in self.rooms)
        here = "" if self.current.users is None else f"{self.current.users} here"
        below = f"↓ {self.current.unread} new" if self.current.unread else "↓ more"
        new = "" if self.current.follows else below
        state = "connecting" if self.status is None else ", ".join(_words(self.status, now))
        transfers = (transfer.words for transfer in self.transfers)
        return " · ".join(word for word in (new, state, *transfers, rooms, here, self.user) if word)

    def _room_word(self, room: Room) -> str:
        if room is self.current:
            return f"[{room.name}]"
        return f"{room.name}({room.unread})" if room.unread else room.name


def _words(status: Status, now: float) -> Iterator[str]:
    match status.state:
        case State.LOST:
            yield f"lost since {clock(status.since)}"
            yield "trying again" if status.retry_at is None else f"next try in {max(0, ceil(status.retry_at - now))} s"
        case State.BEHIND:
            yield f"behind by {status.behind}"
        case State.CLOSED:
            yield f"closed since {clock(status.since)}"
        case _:
            yield status.state.value
    if status.lag is not None and status.lag > SLOW:
        yield f"lag {status.lag * 1000:.0f} ms"
    if status.unsent:
        yield f"unsent {status.unsent}"
    if status.reason:
        yield status.reason
