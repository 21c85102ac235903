"""A room is a log, and a connection is a cursor in it.

The room wakes the cursors that are level with it; a cursor gives its connection what follows, one segment at a time,
from the tail where that reaches far enough back, else from the pages. No message is ever queued for a connection.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from twisted.logger import Logger

from server.log import Piece, Segment, Tail
from server.outlet import Outlet, Reader
from server.pages import Pages
from wire.frames import Joined, Presence, encode
from wire.names import fold

TAIL: Final = 16 * 1024 * 1024  # bytes of one room kept in memory
NAMED: Final = 500  # users; in a larger room comings and goings are only counted
NAMES_A_FRAME: Final = 400  # 32 characters of 4 bytes each: 52 KB


class Room:
    """One room that somebody is in: its tail, who is in it, and who of them is level with it."""

    def __init__(self, key: int, name: str, first_id: int, last_id: int, pages: Pages) -> None:
        self.key = key
        self.name = name
        self.folded = fold(name)
        self.first_id = first_id
        self.pages = pages
        self.tail = Tail(last_id)
        self.cursors: set[Cursor] = set()
        self.level: set[Cursor] = set()
        self.users: Counter[str] = Counter()  # connections by user
        self._before: frozenset[str] | None = None  # the users at the last presence, if they changed since
        self._untold: set[Cursor] = set()  # missed a presence, being behind
        self._fresh: tuple[int, Piece] | None = None

    @property
    def last_id(self) -> int:
        """The newest message's id."""
        return self.tail.last_id

    def append(self, first_id: int, messages: Sequence[bytes]) -> bool:
        """Put encoded messages at the end of the log and wake who is level.

        Older ones are dropped. Returns False, and takes nothing, where ids between are missing: they are to be read
        first.
        """
        known = self.last_id + 1 - first_id
        if known < 0:
            return False
        if known < len(messages):
            level = self.last_id
            self.tail.append(messages[known:])
            self.tail.trim(TAIL)
            self._wake(level)
        return True

    def after(self, id: int) -> Piece | None:
        """Return what follows message ``id``, which is below ``last_id``; None where it has to be read first."""
        if self._fresh is not None and self._fresh[0] == id:  # nearly all ask at the same place
            return self._fresh[1]
        piece = self.tail.after(id)
        if piece is not None:
            self._fresh = id, piece
            return piece
        page = self.pages.cached(self.key, id + 1)
        return page.after(max(id, page.first_id - 1)) if page else None

    def _wake(self, id: int) -> None:
        """Give all who are level, at message ``id``, what follows."""
        self._fresh = None
        piece = self.after(id)
        for cursor in list(self.level):
            cursor.follow(piece)

    def enter(self, cursor: Cursor, user: str) -> None:
        """Let a connection of ``user`` in."""
        self._will_change()
        self.users[user] += 1
        self.cursors.add(cursor)

    def leave(self, cursor: Cursor, user: str) -> None:
        """Let it out."""
        self._will_change()
        self.users[user] -= 1
        if not self.users[user]:
            del self.users[user]
        self.cursors.discard(cursor)
        self.level.discard(cursor)
        self._untold.discard(cursor)

    def _will_change(self) -> None:
        if self._before is None:
            self._before = frozenset(self.users)

    def tell_presence(self) -> None:
        """Tell the net change since the last call: to all who keep up; who is behind hears the number later."""
        untold, self._untold = self._untold, set()
        if self._before is not None:
            frames = self._changes(self._before)
            self._before = None
            if frames:
                self._tell(self.cursors, frames)
                return
        if untold:
            self._tell(untold, encode(Presence(self.name, len(self.users))))

    def _tell(self, cursors: set[Cursor], frames: bytes) -> None:
        for cursor in cursors:
            if not cursor.tell(frames):
                self._untold.add(cursor)

    def _changes(self, before: frozenset[str]) -> bytes:
        joined, left = sorted(self.users.keys() - before), sorted(before - self.users.keys())
        if not joined and not left:
            return b""
        count = len(self.users)
        if count > NAMED:
            return encode(Presence(self.name, count))
        return b"".join(
            encode(Presence(self.name, count, joined[at : at + NAMES_A_FRAME], left[at : at + NAMES_A_FRAME]))
            for at in range(0, max(len(joined), len(left)), NAMES_A_FRAME)
        )


class Cursor:
    """Where a connection stands in a room: ``id`` is the last message that it was given."""

    __slots__ = ("_connection", "_reading", "id", "room")

    _log = Logger()

    def __init__(self, connection: Reader, room: Room, id: int) -> None:
        self._connection = connection
        self.room = room
        self.id = id
        self._reading = False

    def wake(self) -> None:
        """The room has more."""
        self._connection.has_more(self)

    def follow(self, piece: Piece | None) -> None:
        """The room, with which this one is level, goes on with ``piece``: where nothing else waits it is given at once.

        Done once for each wake-up and client, and so what costs most of all.
        """
        connection = self._connection
        if piece and connection.outlet.clear and not connection.ready:
            self.id = write_piece(connection.outlet, piece, self.id)
            if self.id == self.room.last_id:
                return
        self.room.level.discard(self)
        connection.has_more(self)

    def leave(self, user: str) -> None:
        """Let go of the room."""
        self.room.leave(self, user)

    def tell(self, frames: bytes) -> bool:
        """Write ``frames`` if the connection keeps up; say whether."""
        if not self._connection.outlet.clear:
            return False
        self._connection.outlet.write(frames)
        return True

    def give(self, outlet: Outlet) -> bool:
        """Write what follows, one piece; say whether there is more to be written at once."""
        room = self.room
        if self.id >= room.last_id:
            room.level.add(self)
            return False
        if self.id + 1 < room.first_id:
            self._skip_pruned(outlet)
            return True
        piece = room.after(self.id)
        if piece is None:
            self._read()
            return False
        self.id = write_piece(outlet, piece, self.id)
        if self.id >= room.last_id:
            room.level.add(self)
            return False
        return True

    def _skip_pruned(self, outlet: Outlet) -> None:
        room = self.room
        outlet.write(encode(Joined(room.name, room.first_id, room.last_id)))
        self.id = room.first_id - 1

    def _read(self) -> None:
        if not self._reading:
            self._reading = True
            page = self.room.pages.load(self.room.key, self.id + 1)
            page.addCallback(self._was_read).addErrback(lambda failure: self._log.failure("reading a page", failure))

    def _was_read(self, _: Segment) -> None:
        self._reading = False
        if self in self.room.cursors:  # it may have left meanwhile
            self.wake()


def write_piece(outlet: Outlet, piece: Piece, id: int) -> int:
    """Write ``piece``, which follows message ``id``, and return the id behind which the connection now stands.

    After a short write only the rest of the message in which the socket stopped is handed over.
    """
    sent = outlet.offer(piece.data)
    if sent == len(piece.data):
        return piece.last_id
    if not sent:
        return id
    stopped, rest = piece.cut(sent)
    if rest:
        outlet.write(bytes(rest))
    return stopped
