"""In which rooms and talks of two a connection is: how it comes into them, and out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec import UnsetType

from server.journal import Failed
from server.refusals import NOT_STORED, Refused, echo_of, named
from server.room import Cursor, Room
from server.rules import NO_ROOM
from server.talk import Place
from wire import frames
from wire.frames import MAX_PAGE, room_of
from wire.names import TALK, fold, room_name

if TYPE_CHECKING:
    from server.connection import Connection

Wanted = dict[str, tuple[str, int | None]]  # by folded name: the room's, and the last id that the client has


class Joining:
    """Gives ``connection`` its cursors, one for each room, and takes them away."""

    __slots__ = ("_connection", "_server")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._server = connection.server

    # -- with the login

    def wanted(self, rooms: Mapping[str, int | None]) -> Wanted:
        """Return what a login asks for; raises :class:`Refused`."""
        wanted = {fold(room): (room, id) for room, id in ((named(room, room_name), id) for room, id in rooms.items())}
        self._check_count(wanted)
        return wanted

    async def open(self, wanted: Wanted) -> list[tuple[Room, int | None]]:
        """Return the rooms of these in which it may be, and the last ids that it has of them."""
        places, ids = await self._allowed(wanted)
        owner = self._connection.owner
        for place in places:
            await self._may_make(place)
        await self._server.rooms.open(places, owner)
        for place, id in zip(places, ids, strict=True):
            await self._server.rooms.up_to(place, id or 0, owner)
        rooms = await self._server.rooms.open(places)  # one that emptied meanwhile has left memory
        return list(zip(rooms, ids, strict=True))

    async def _allowed(self, wanted: Wanted) -> tuple[list[Place], list[int | None]]:
        """Return where it may be of what it wants, with its last ids; to it the rest is not there."""
        account = self._connection.account
        allowed: list[tuple[Place, int | None]] = []
        for name, id in wanted.values():
            with suppress(Refused):
                self._server.rules.check_room(account, name)
                allowed.append((await self._server.talks.place(account, name), id))
        return [place for place, _ in allowed], [id for _, id in allowed]

    def begins(self, opened: list[tuple[Room, int | None]], history: int | UnsetType) -> dict[Room, int]:
        """Return where it begins in those of the rooms that it may be in even now."""
        account = self._connection.account
        return {
            room: self._begin(room, id, history) for room, id in opened if self._server.rules.lets(account, room.name)
        }

    def _begin(self, room: Room, after: int | None, history: int | UnsetType) -> int:
        """Return the id behind which this client begins in a room."""
        if after is not None and after <= room.last_id:
            return max(after, room.first_id - 1)
        count = self._server.history if isinstance(history, UnsetType) else min(history, MAX_PAGE)
        return max(room.last_id - count, room.first_id - 1)

    def enter(self, room: Room, id: int) -> None:
        """Give it what is in a room behind message ``id``, and all that comes there."""
        cursor = Cursor(self._connection, room, id)
        self._connection.cursors[room.folded] = cursor
        self._server.given -= id
        room.enter(cursor, self._connection.user)
        self._connection.has_more(cursor)

    # -- one by one

    def join(self, frame: frames.Join) -> None:
        """Let it into the room that it asks for."""
        connection = self._connection
        try:
            name = named(room_of(frame), room_name)
            self._server.rules.check_room(connection.account, name)
            if cursor := connection.cursors.get(fold(name)):
                self._joined(cursor.room)
                return
            self._check_count([*connection.cursors, name])
        except Refused as refused:
            connection.error(refused.code, str(refused), echo_of(frame))
        else:
            connection.intake.wait_for(self._join(frame, name))

    def _check_count(self, names: Collection[str]) -> None:
        """Raise :class:`Refused` where that is too much: so many rooms, and as many talks, which come unasked."""
        talks = sum(name.startswith(TALK) for name in names)
        if max(talks, len(names) - talks) > self._server.limits.max_rooms:
            raise Refused("too_many", f"at most {self._server.limits.max_rooms} rooms at once")

    async def _join(self, frame: frames.Join, name: str) -> None:
        connection = self._connection
        try:
            place = await self._server.talks.place(connection.account, name)
            await self._may_make(place)
            room = await self._server.rooms.up_to(place, frame.after or 0, connection.owner)
            self._server.rules.check_room(connection.account, name)
        except Failed:
            connection.error("failed", NOT_STORED, echo_of(frame))
            return
        except Refused as refused:
            connection.error(refused.code, str(refused), echo_of(frame))
            return
        if not connection.is_over:
            self._joined(room)
            if room.folded not in connection.cursors:  # it was not called in meanwhile
                self.enter(room, self._begin(room, frame.after, frame.history))

    async def _may_make(self, place: Place) -> None:
        """Wait where a room is to be made and too many come from there; raises :class:`Refused`."""
        if self._server.rooms.is_new(place):
            await self._server.addresses.turn(self._connection.network)

    def _joined(self, room: Room) -> None:
        self._connection.write(frames.Joined(room.name, room.first_id, room.last_id))

    def leave(self, frame: frames.Leave) -> None:
        """Let it out of the room that it names."""
        try:
            cursor = self._connection.cursor(room_of(frame))
        except Refused as refused:
            self._connection.error(refused.code, str(refused), echo_of(frame))
        else:
            self._let_out(cursor)

    def _let_out(self, cursor: Cursor) -> None:
        self._leave(cursor)
        self._connection.write(frames.Left(cursor.room.name))

    def _leave(self, cursor: Cursor) -> None:
        del self._connection.cursors[cursor.room.folded]
        self._server.given += cursor.id
        self._connection.no_more(cursor)
        cursor.leave(self._connection.user)

    def leave_all(self) -> None:
        """Leave every room: the connection is gone."""
        for cursor in list(self._connection.cursors.values()):
            self._leave(cursor)

    # -- unasked

    def obey(self) -> None:
        """Leave the rooms in which it may not be any more, by what the rules say now."""
        for cursor in list(self._connection.cursors.values()):
            if not self._server.rules.lets(self._connection.account, cursor.room.name):
                self._turn_out(cursor)

    def _turn_out(self, cursor: Cursor) -> None:
        self._connection.questions.refuse_about(cursor.room, *NO_ROOM)
        self._let_out(cursor)

    def misses(self, place: Place) -> bool:
        """Say whether it is to come into a talk in which something was said, and is not there."""
        return self._connection.logged_in and not self._connection.is_over and not self._hears(place)

    def _hears(self, place: Place) -> bool:
        """Say whether it is in that talk, which is the last one then to make room for another."""
        cursors = self._connection.cursors
        cursor = cursors.get(fold(place.name))
        if cursor is None or cursor.room.talk != place.talk:
            return False
        cursors[cursor.room.folded] = cursors.pop(cursor.room.folded)
        return True

    def call_in(self, side: Room, after: int) -> None:
        """Let it into a talk, unasked, behind message ``after``."""
        if cursor := self._connection.cursors.get(side.folded):  # with one who had that name before
            self._turn_out(cursor)
        self._make_room()
        self._connection.write(frames.Joined(side.name, min(side.first_id, after + 1), after))
        self.enter(side, after)

    def _make_room(self) -> None:
        """Where it is in all the talks it may be in, let it out of the one in which nothing was said for longest."""
        talks = [cursor for name, cursor in self._connection.cursors.items() if name.startswith(TALK)]
        if len(talks) >= self._server.limits.max_rooms:
            self._let_out(talks[0])

    def end_talk(self, user: str) -> None:
        """The account of ``user`` (folded) is gone."""
        if cursor := self._connection.cursors.get(TALK + user):
            self._turn_out(cursor)
