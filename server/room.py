"""A room is a log, and a connection is a cursor in it.

The room wakes the cursors that are level with it; a cursor gives its connection what follows, one segment at a time,
from the tail where that reaches far enough back, else from the pages. No message is ever queued for a connection.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set
from typing import Final

from twisted.logger import Logger

from server.log import Piece, Segment, Tail
from server.outlet import Outlet, Reader
from server.pages import Pages
from storage.talks import Talk
from wire.frames import Deleted, Joined, Presence, encode
from wire.names import fold

TAIL: Final = 16 * 1024 * 1024  # bytes of one room kept in memory
NAMED: Final = 500  # users; in a larger room comings and goings are only counted
NAMES_A_FRAME: Final = 400  # 32 characters of 4 bytes each: 52 KB
DELETIONS: Final = 64 * 1024  # bytes: some 800 that a slow reader may be behind; who misses one sees it when it asks


class Room:
    """One room that somebody is in: its tail, who is in it, and who of them is level with it."""

    talk: Talk | None = None  # that it is, of two accounts

    def __init__(
        self,
        key: int,
        name: str,
        first_id: int,
        last_id: int,
        pages: Pages,
        elsewhere: Counter[str] | None = None,
        owner: str | None = None,
    ) -> None:
        self.key = key
        self.name = name
        self.folded = fold(name)
        self.place = self.folded  # what tells it from all others that are open
        self.owner = owner  # the account (folded) that made it
        self.first_id = first_id
        self.pages = pages
        self.tail = Tail(last_id)
        self.deletions = Tail(0)  # what is to be told of them is a log too
        self.edition = 0  # rises when messages are not what they were: what was read before is read again
        self.cursors: set[Cursor] = set()
        self.level: set[Cursor] = set()
        self.here: Counter[str] = Counter()  # connections by user
        self._elsewhere = Counter() if elsewhere is None else elsewhere  # other servers by user
        self._told_others: Set[str] = frozenset()  # who is here, as the other servers know it
        self._may_tell_others = False
        self._stored = last_id
        self._before: frozenset[str] | None = None  # the users at the last presence, if they changed since
        self._untold: set[Cursor] = set()  # missed a presence, being behind
        self._fresh: tuple[int, Piece] | None = None

    @property
    def stored_name(self) -> str:
        """What it is called where it is kept."""
        return self.name if self.talk is None else self.talk.name

    @property
    def last_id(self) -> int:
        """The newest message's id."""
        return self.tail.last_id

    @property
    def stored(self) -> int:
        """The newest id that is known to be stored: ``last_id``, or above it while messages between are read."""
        return max(self._stored, self.last_id)

    @stored.setter
    def stored(self, id: int) -> None:
        self._stored = max(self._stored, id)

    @property
    def users(self) -> Set[str]:
        """Who is in it, at whatever server."""
        return self.here.keys() | self._elsewhere.keys() if self._elsewhere else self.here.keys()

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

    def publish(self, first_id: int, messages: Sequence[bytes]) -> bool:
        """Take what was just stored and encoded here, as :meth:`append` does."""
        return self.append(first_id, messages)

    def skip_to(self, id: int) -> None:
        """Let what is missing up to message ``id``, if anything is, be read from the pages, or be gone."""
        if id > self.last_id:
            self.tail = Tail(id)
            self._fresh = None
            for cursor in list(self.level):
                cursor.follow(None)

    def reread(self) -> None:
        """Forget the messages held: some of them are not what they were."""
        self.edition += 1
        self.tail.trim(0)
        self._fresh = None
        self.pages.forget(self.place)

    def after(self, id: int) -> Piece | None:
        """Return what follows message ``id``, which is below ``last_id``; None where it has to be read first."""
        if self._fresh is not None and self._fresh[0] == id:  # nearly all ask at the same place
            return self._fresh[1]
        piece = self.tail.after(id)
        if piece is not None:
            self._fresh = id, piece
            return piece
        page = self.pages.cached(self.place, id + 1)
        return page.after(max(id, page.first_id - 1)) if page else None

    def _wake(self, id: int) -> None:
        """Give all who are level, at message ``id``, what follows.

        Who was given a page may be ahead: the database knew more than the tail.
        """
        self._fresh = None
        piece = self.after(id)
        for cursor in list(self.level):
            cursor.follow(piece if cursor.id == id else None)

    def enter(self, cursor: Cursor, user: str) -> None:
        """Let a connection of ``user`` in."""
        self.will_change()
        self._may_tell_others = True
        self.here[user] += 1
        self.cursors.add(cursor)

    def leave(self, cursor: Cursor, user: str) -> None:
        """Let it out."""
        self.will_change()
        self._may_tell_others = True
        self.here[user] -= 1
        if not self.here[user]:
            del self.here[user]
        self.cursors.discard(cursor)
        self.level.discard(cursor)
        self._untold.discard(cursor)

    def moved(self) -> tuple[list[str], list[str]]:
        """Return who came and who left here since the last call: what the other servers do not know yet."""
        if not self._may_tell_others:
            return [], []
        before, self._told_others = self._told_others, frozenset(self.here)
        self._may_tell_others = False
        return sorted(self._told_others - before), sorted(before - self._told_others)

    def will_change(self) -> None:
        """Who is in it is about to change."""
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

    def delete(self, id: int, by: str) -> None:
        """A message has no content any more: tell all who are in it, the slow ones when they can take it."""
        self.reread()
        self.deletions.trim(DELETIONS if self.level != self.cursors else 0)
        self.deletions.append([encode(Deleted(self.name, id, by))])
        for cursor in list(self.level):
            cursor.follow(None)

    def _tell(self, cursors: set[Cursor], frames: bytes) -> None:
        for cursor in cursors:
            if not cursor.tell(frames):
                self._untold.add(cursor)

    def _changes(self, before: frozenset[str]) -> bytes:
        users = self.users
        joined, left = sorted(users - before), sorted(before - users)
        if not joined and not left:
            return b""
        count = len(users)
        if count > NAMED:
            return encode(Presence(self.name, count))
        return b"".join(
            encode(Presence(self.name, count, joined[at : at + NAMES_A_FRAME], left[at : at + NAMES_A_FRAME]))
            for at in range(0, max(len(joined), len(left)), NAMES_A_FRAME)
        )


class Cursor:
    """Where a connection stands in a room: ``id`` is the last message that it was given."""

    __slots__ = ("_connection", "_deletions", "_reading", "id", "room")

    _log = Logger()

    def __init__(self, connection: Reader, room: Room, id: int) -> None:
        self._connection = connection
        self.room = room
        self.id = id
        self._deletions = room.deletions.last_id  # of which it was told
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
        if self._deletions < room.deletions.last_id:
            self._tell_deletions(outlet)
            return True
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

    def _tell_deletions(self, outlet: Outlet) -> None:
        deletions = self.room.deletions
        self._deletions = max(self._deletions, deletions.first_id - 1)  # what is before has left memory
        if piece := deletions.after(self._deletions):
            self._deletions = write_piece(outlet, piece, self._deletions)

    def _skip_pruned(self, outlet: Outlet) -> None:
        room = self.room
        outlet.write(encode(Joined(room.name, room.first_id, room.last_id)))
        self.id = room.first_id - 1

    def _read(self) -> None:
        if not self._reading:
            self._reading = True
            page = self.room.pages.load(self.room.place, self.id + 1)
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
