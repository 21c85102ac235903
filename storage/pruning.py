"""Old messages go: a room's ``first_id`` moves at once, and what lies below it is removed a little at a time.

Whatever cuts it off leaves the room right: nobody reads below ``first_id``, and the next prune removes what is there.
"""

from __future__ import annotations

import itertools
from secrets import randbits
from time import time
from typing import Final

from sqlalchemy import Engine, bindparam, delete, func, select, update

from storage.access import writing
from storage.faults import while_serving
from storage.interface import Room
from storage.schema import UploadState, messages, rooms, uploads
from storage.signing import sign

SLICE: Final = 500  # messages that are looked at, or removed, in one transaction

_FIRST_SINCE = select(func.min(messages.c.id)).where(
    messages.c.room_id == bindparam("room"),
    messages.c.id.between(bindparam("first"), bindparam("last")),
    messages.c.sent_at >= bindparam("since"),
)
_MOVE = update(rooms).where(rooms.c.id == bindparam("room"), rooms.c.first_id < bindparam("first"))
_BELOW = (
    select(messages.c.id, messages.c.upload_id)
    .where(rooms.c.id == bindparam("room"), messages.c.room_id == rooms.c.id, messages.c.id < rooms.c.first_id)
    .order_by(messages.c.id)
    .limit(bindparam("limit"))
)
_LOWEST = select(func.min(messages.c.id)).where(messages.c.room_id == bindparam("room"))


class Pruning:
    """Prunes the rooms of one database, while servers may be running on it.

    :meth:`move` and :meth:`remove` raise ``StorageDown`` for what passes; nothing was done then.
    """

    def __init__(self, engine: Engine, slice: int = SLICE) -> None:
        self._engine = engine
        self._slice = slice
        self._server = randbits(63)  # as which it tells the servers
        self._moves = itertools.count(1)

    def first_of_newest(self, room: Room, count: int) -> int:
        """Return the id from which on the room has its newest ``count`` messages."""
        return max(room.first_id, room.last_id - count + 1)

    def first_since(self, room: Room, since: int) -> int:
        """Return the id of the first message that is not older than ``since`` (ms since 1970), else ``last_id`` + 1.

        Those before it are all older; clocks step back, so some behind it may be too.
        """
        with self._engine.connect() as connection:
            for first in range(room.first_id, room.last_id + 1, self._slice):
                last = min(first + self._slice - 1, room.last_id)
                found = connection.scalar(
                    _FIRST_SINCE, {"room": room.key, "first": first, "last": last, "since": since}
                )
                if found is not None:
                    return int(found)
        return room.last_id + 1

    def move(self, room: Room, first_id: int) -> None:
        """Let the room begin with ``first_id``, and the servers know of it; it never moves back."""
        with while_serving(), writing(self._engine) as connection:
            connection.execute(_MOVE.values(first_id=first_id), {"room": room.key, "first": first_id})
            sign(connection, self._server, next(self._moves))

    def below(self, room: Room, first_id: int) -> int:
        """Return how many messages are to be removed if the room begins with ``first_id``."""
        with self._engine.connect() as connection:
            lowest = connection.scalar(_LOWEST, {"room": room.key})
        return 0 if lowest is None else max(0, first_id - lowest)

    def remove(self, room: Room) -> int:
        """Remove some of what lies below the room's beginning, and return how many messages that were.

        Their contents are left to :meth:`storage.Storage.clean`.
        """
        with while_serving(), writing(self._engine) as connection:
            found = connection.execute(_BELOW, {"room": room.key, "limit": self._slice}).all()
            if not found:
                return 0
            contents = [row.upload_id for row in found if row.upload_id is not None]
            if contents:
                gone = update(uploads).where(uploads.c.id.in_(contents))
                connection.execute(gone.values(state=UploadState.GONE, touched_at=int(time() * 1000)))
            old = delete(messages).where(messages.c.room_id == room.key, messages.c.id <= found[-1].id)
            connection.execute(old)
        return len(found)
