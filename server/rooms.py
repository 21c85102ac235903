"""The rooms that somebody here is in: opened when they are asked for, and gone from memory when all have left."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from server.catching_up import CatchingUp
from server.elsewhere import Elsewhere
from server.log import Segment
from server.pages import STEP, Pages
from server.room import Room
from server.stored import READ_AGAIN, Stored, encoded
from server.talk import Place, Side
from storage.interface import INeighbours, Message, Open, Send, SendContent, Taken
from storage.interface import Room as StoredRoom
from wire import frames
from wire.frames import encode
from wire.names import fold

TAILS: Final = 48 * 1024 * 1024  # bytes of all rooms' tails; with the pages less than 64 MiB


class Rooms:
    """All open rooms. ``ask`` has an :class:`Open` carried out; what left memory is read by ``stored``."""

    _log = Logger()

    def __init__(
        self, stored: Stored, neighbours: INeighbours, ask: Callable[[Open], Deferred[Any]], clock: IReactorTime
    ) -> None:
        self.elsewhere = Elsewhere(self._will_change)
        self.opened = 0  # since the start
        self._stored = stored
        self._neighbours = neighbours
        self._ask = ask
        self._clock = clock
        self._by_place: dict[str, Room] = {}
        self._by_key: dict[int, tuple[Room, ...]] = {}  # of a talk of two each side that is open; read in any thread
        self._opening: dict[str, list[Deferred[None]]] = {}
        self._known: set[str] = set()  # folded names of all rooms there are
        self._listed = False  # whether it is known of all
        self._pages = Pages(self._read_page)
        self._tails: OrderedDict[Room, int] = OrderedDict()  # bytes, the least used room first
        self._held = 0  # bytes of them all
        self._catching_up = CatchingUp(stored.messages, self._bound_tails, self._is_open, clock)

    def all(self) -> list[Room]:
        """Return the rooms that are open."""
        return list(self._by_place.values())

    def get(self, key: int) -> tuple[Room, ...]:
        """Return what is open of the room with that key: nothing, it, or both sides of a talk of two."""
        return self._by_key.get(key, ())

    def forget(self, room: Room) -> None:
        """Nobody is in it any more."""
        del self._by_place[room.place]
        others = tuple(it for it in self._by_key.pop(room.key) if it is not room)
        if others:
            self._by_key[room.key] = others
        self._held -= self._tails.pop(room, 0)
        self._pages.forget(room.place)

    # -- which there are

    def is_known(self, name: str) -> bool:
        """Say whether there is a room of that name, wherever."""
        return fold(name) in self._known

    def is_new(self, place: Place) -> bool:
        """Say whether a room, other than a talk of two, is to be made before one can be there."""
        return self._listed and place.talk is None and place.key not in self._known

    def know(self, name: str) -> None:
        """There is a room of that name."""
        self._known.add(fold(name))

    def info(self, found: StoredRoom) -> frames.RoomInfo:
        """Return what to tell of a room that was ``found``."""
        here = next(iter(self.get(found.key)), None)
        if here is None:
            return frames.RoomInfo(found.first_id, found.last_id, len(self.elsewhere.users(found.key)))
        first_id, last_id = max(found.first_id, here.first_id), max(found.last_id, here.last_id)
        return frames.RoomInfo(first_id, last_id, len(here.users))

    # -- opening

    async def open(self, places: Sequence[Place], by: str | None = None) -> list[Room]:
        """Return the rooms at these places, made where there are none, ``by`` an account; raises :class:`Failed`."""
        # A room that was here may have left memory while another one was looked for: then it is looked for again.
        while missing := [place for place in places if place.key not in self._by_place]:
            await gatherResults([self._open(place, by) for place in missing])
        return [self._by_place[place.key] for place in places]

    async def up_to(self, place: Place, id: int, by: str | None = None) -> Room:
        """Return a room that has message ``id``, which a client says to have, unless there is no such message.

        It may have got it from another server, of which we have not heard yet.
        """
        [room] = await self.open([place], by)
        if id > room.last_id:
            found: StoredRoom = await self._ask(place.opening(by))  # under its lock: nobody can be ahead of that
            while room.last_id < min(id, found.last_id):
                self._catching_up.lacks(room, found.last_id)
                await self._catching_up.more(room)
                [room] = await self.open([place])
        return room

    def _open(self, place: Place, by: str | None) -> Deferred[None]:
        """Load one room, once, however many ask."""
        opened: Deferred[None] = Deferred()
        waiting = self._opening.setdefault(place.key, [])
        waiting.append(opened)
        if len(waiting) == 1:
            self._ask(place.opening(by)).addCallback(self._opened, place).addBoth(self._tell_opened, place.key)
        return opened

    def _opened(self, found: StoredRoom, place: Place) -> None:
        room = self._room(found, place)
        self._by_place[room.place] = room
        self._by_key[room.key] = (*self.get(room.key), room)
        self.opened += 1

    def _room(self, found: StoredRoom, place: Place) -> Room:
        elsewhere = self.elsewhere.users(found.key)
        if place.talk is not None:
            return Side(found, place, self._pages, elsewhere, partial(self.get, found.key))
        self._known.add(place.key)
        return Room(found.key, found.name, found.first_id, found.last_id, self._pages, elsewhere, found.owner)

    def _tell_opened(self, result: Any, place: str) -> None:
        for opened in self._opening.pop(place):
            opened.callback(result)

    # -- what comes

    def encode(self, send: Send | SendContent, stored: Taken | Message) -> list[bytes]:
        """In the writing thread: the bytes of what was just stored; nothing where nobody is in the room."""
        rooms = self._by_key.get(send.room)
        if rooms is None:
            return []
        room = rooms[0].name
        if isinstance(stored, Message):
            return [encoded(stored, room)]
        assert isinstance(send, Send)
        by, at = send.by, send.at
        texts = zip(stored.ids, send.texts[stored.left_out :], strict=True)
        return [encode(frames.Message(room, id, by, at), text.encode()) for id, text in texts]

    def append(self, messages: Mapping[int, tuple[int, Sequence[bytes]]]) -> None:
        """Show what is stored: the encoded messages of each room, by its key, behind the id of the first one."""
        for key, (first_id, shown) in messages.items():
            for room in self.get(key):
                if room.publish(first_id, shown):
                    self._bound_tails(room)
                else:  # others stored some before
                    self._catching_up.lacks(room, first_id + len(shown) - 1)

    def _bound_tails(self, used: Room) -> None:
        self._held += used.tail.size - self._tails.pop(used, 0)
        self._tails[used] = used.tail.size
        while self._held > TAILS:
            room, size = self._tails.popitem(last=False)
            room.tail.trim(0)
            self._held -= size

    # -- what others did

    def found_all(self, rooms: Sequence[StoredRoom]) -> None:
        """These are all the rooms there are; in those that are open here anything may have changed."""
        self._known.update(fold(room.name) for room in rooms)
        self._listed = True
        for room in self._by_place.values():
            room.reread()

    def found(self, key: int, first_id: int, last_id: int) -> None:
        """A room was looked at: it has messages from ``first_id`` to ``last_id``."""
        for room in self.get(key):
            room.first_id = max(room.first_id, first_id)
            self._catching_up.lacks(room, last_id)

    def disown(self, user: str) -> None:
        """The account of a user (folded) is gone: whoever is called so next has made no room."""
        for room in self._by_place.values():
            if room.owner == user:
                room.owner = None

    def _will_change(self, key: int) -> None:
        for room in self.get(key):
            room.will_change()

    def _is_open(self, room: Room) -> bool:
        return self._by_place.get(room.place) is room

    # -- what has left memory

    def _read_page(self, place: str, first: int) -> Deferred[Segment]:
        return Deferred.fromCoroutine(self._page(self._by_place[place], first))

    async def _page(self, room: Room, first: int) -> Segment:
        while (page := await self._stored.page(room.key, room.name, first)) is None:
            for span in await self._stored.until_read(self._neighbours.spans, [room.key]):
                self.found(*span)
                if span[1] >= first + STEP:  # pruned, of which we had not heard yet
                    return Segment(first, [])
            self._log.error("room {room} has no messages from {first} on", room=room.name, first=first)
            await deferLater(self._clock, READ_AGAIN)
        return page
