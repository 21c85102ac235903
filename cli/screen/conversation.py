"""The conversation as one person sees it, without a terminal.

What came from the server and what was typed goes in; what the screen shows is a function of what is here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cli.inbox import Message
from cli.screen.highlights import Highlights
from cli.screen.lines import Kind, Line
from cli.screen.room import Room
from cli.settings import Settings
from cli.status import State, Status
from wire.names import TALK, fold


@dataclass(slots=True, eq=False)
class Transfer:
    """A file that is being sent or saved: ``done`` bytes of ``size``, which is None while it is not known."""

    doing: str
    name: str
    done: int = 0
    size: int | None = None


class Conversation:
    """The rooms that one user is in, never none, and which of them is shown; what ``ignored`` people say is not."""

    def __init__(
        self, user: str, rooms: Iterable[str], highlights: Highlights, settings: Settings | None = None
    ) -> None:
        self.user = user
        self.server = ""  # as a person writes it
        self.highlights = highlights
        self._settings = settings
        self.status: Status | None = None  # None before anything is known
        self.met = False  # we were let in once
        self.asking = False  # for a password, without which we are not let in
        self.trouble = ""  # that the server told of, while it lasts
        self.transfers: list[Transfer] = []  # that are under way
        self.ignored: dict[str, str] = {}  # folded names: as they were written
        self.left: dict[str, int] = {}  # talks of two that were left: the last message that came
        self._rooms: dict[str, Room] = {}
        for name in rooms:
            self.room(name)
        self.current = self.rooms[0]
        self.current.enter()
        self._home: Room | None = None  # where one goes back to when nothing is unread any more

    @property
    def rooms(self) -> list[Room]:
        """All rooms, in the order in which they were opened."""
        return list(self._rooms.values())

    def find(self, name: str) -> Room | None:
        """Return the room of that name, if one is in it."""
        return self._rooms.get(fold(name))

    def room(self, name: str) -> Room:
        """Return the room of that name, which is opened where it was not."""
        key = fold(name)
        if key not in self._rooms:
            self._rooms[key] = Room(name, self.is_mention, self.hides, self.is_news, self._settings)
            if name.startswith(TALK):
                self._rooms[key].read_id = self.left.pop(key, None)
        return self._rooms[key]

    def opened(self, name: str, first_id: int, last_id: int) -> None:
        """We are in the room, called as the server writes it; what is above ``last_id`` is live."""
        room = self.room(name)
        room.name = name
        room.open(first_id, last_id)

    def close(self, room: Room) -> None:
        """Be in ``room`` no more; where it is shown its neighbour is. The last one stays."""
        rooms = self.rooms
        if room not in rooms or len(rooms) == 1:
            return
        place = rooms.index(room)
        if room is self.current:
            self.show(rooms[place + 1 if place + 1 < len(rooms) else place - 1])
        if room is self._home:
            self._home = None
        del self._rooms[fold(room.name)]
        if room.name.startswith(TALK):
            self.left[fold(room.name)] = room.last_id

    def add(self, message: Message) -> None:
        """Take the next message that came. In a room that was left it is none."""
        if room := self.find(message.room):
            room.add(message)

    def delete(self, room: str, id: int) -> None:
        """A message has no content any more."""
        if place := self.find(room):
            place.delete(id)

    def is_mention(self, message: Message) -> bool:
        """Return whether ``message`` concerns one."""
        return self.highlights.match(message.text) and self.is_news(message)

    def is_news(self, message: Message) -> bool:
        """Return whether somebody else says ``message``, whom one wants to hear."""
        return fold(message.sender) != fold(self.user) and not self.hides(message.sender)

    def come_and_go(self, room: str, joined: list[str], left: list[str], users: int) -> None:
        """People came and went; there are ``users`` now."""
        if place := self.find(room):
            place.users = users
            place.come_and_go(joined, left, but=self.user)

    def notice(self, text: str, at: float) -> None:
        """Say something of the program's own in the room that is shown."""
        first, *more = text.split("\n")
        self.current.show([Line(Kind.NOTICE, first, at, "-"), *(Line(Kind.NOTICE, line) for line in more)])

    def tell(self, status: Status) -> None:
        """It stands like that with the connection."""
        self.status = status
        self.met = self.met or status.state in (State.LIVE, State.BEHIND)
        if status.state in (State.LOST, State.CLOSED):
            self.trouble = ""

    # Which room is shown.

    def show(self, room: Room) -> None:
        """Show ``room``, where one is still in it."""
        if room in self.rooms:
            self._home = None
            self._go(room)

    def turn(self, by: int) -> None:
        """Show the room ``by`` places further on."""
        rooms = self.rooms
        self.show(rooms[(rooms.index(self.current) + by) % len(rooms)])

    def select(self, number: int) -> None:
        """Show the room of that number, counted from 1, where there is one."""
        for room in self.rooms[number - 1 : number]:
            self.show(room)

    def next_unread(self) -> None:
        """Show the next room with something unread, one with a mention first; with none left, where one began."""
        rooms = self.rooms
        here = rooms.index(self.current)
        unread = [room for room in rooms[here + 1 :] + rooms[:here] if room.unread]
        if unread:
            self._home = self._home or self.current
            self._go(next((room for room in unread if room.mentions), unread[0]))
        elif self._home is not None:
            self.show(self._home)

    def _go(self, room: Room) -> None:
        if room is not self.current:
            self.current.leave()
            self.current = room
            room.enter()

    # Who is not heard.

    def ignore(self, name: str) -> None:
        """Hide what ``name`` says from now on."""
        self.ignored[fold(name)] = name
        self._count_anew()

    def unignore(self, name: str) -> bool:
        """Hide it no more; return whether it was hidden."""
        was_hidden = self.ignored.pop(fold(name), None) is not None
        self._count_anew()
        return was_hidden

    def hides(self, name: str) -> bool:
        """Return whether one does not want to hear ``name``."""
        return bool(self.ignored) and fold(name) in self.ignored

    def _count_anew(self) -> None:
        for room in self.rooms:
            room.count_anew()
