"""The other processes on the same database, as one of them sees them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, bindparam, delete, literal_column, select, update
from zope.interface import implementer

from storage.changes import Change
from storage.faults import while_serving
from storage.interface import INeighbours, Neighbour
from storage.schema import changes, logins, present, rooms, servers
from storage.signing import decoded

DEAD: Final = 5  # seconds without a sign of life after which a server is forgotten
OVER: Final = 60  # seconds after which nobody can be interested in what it told either
KEYS: Final = 500  # of one SELECT
SOME: Final = 100  # changes that are read at once

_SILENT_FOR = {
    "sqlite": "CAST(strftime('%s', 'now') AS INTEGER) - CAST(strftime('%s', beat_at) AS INTEGER)",
    "mysql": "TIMESTAMPDIFF(SECOND, beat_at, NOW())",
}
_CHANGES = (
    select(changes.c.seq, changes.c.what)
    .where(changes.c.server == bindparam("server"), changes.c.seq > bindparam("after"))
    .order_by(changes.c.seq)
    .limit(SOME)
)
_PRESENT = select(present.c.room_id, present.c.name).where(present.c.server == bindparam("server"))
_SPANS = select(rooms.c.id, rooms.c.first_id, rooms.c.last_id).where(rooms.c.id.in_(bindparam("ids", expanding=True)))


@implementer(INeighbours)
class Neighbours:
    """See :class:`INeighbours`; ``read`` reads in a transaction of its own, ``own`` is this process."""

    def __init__(self, read: Callable[..., Sequence[Sequence[Any]]], writer: Engine, own: int) -> None:
        self._read = read
        self._writer = writer
        self.own = own
        silent_for: ColumnElement[int] = literal_column(_SILENT_FOR[writer.dialect.name])
        self._all = select(
            servers.c.id, servers.c.batch, servers.c.last_change, servers.c.here, silent_for, servers.c.auth
        )
        self._silence = select(silent_for).where(servers.c.id == bindparam("server")).with_for_update()

    def all(self) -> list[Neighbour]:
        """Return all processes that were heard of lately, this one too."""
        return [Neighbour(*row) for row in self._read(self._all)]

    def changes(self, server: int, after: int) -> list[tuple[int, Change | None]]:
        """Return the changes of a process from number ``after`` + 1 on, some of them, with their numbers."""
        return [(seq, decoded(what)) for seq, what in self._read(_CHANGES, server=server, after=after)]

    def present(self, server: int) -> list[tuple[int, str]]:
        """Return who is at a server: pairs of a room's key and a user."""
        return [(room, name) for room, name in self._read(_PRESENT, server=server)]

    def spans(self, rooms: Sequence[int]) -> list[tuple[int, int, int]]:
        """Return key, first and last id of each of the rooms with these keys."""
        slices = (rooms[start : start + KEYS] for start in range(0, len(rooms), KEYS))
        return [(key, first, last) for some in slices for key, first, last in self._read(_SPANS, ids=some)]

    def forget(self, server: int) -> None:
        """Forget a process that is dead: who was there, then also what it told. Not if it has been heard of again."""
        with while_serving(), self._writer.begin() as connection:
            silent_for = connection.scalar(self._silence.with_for_update(), {"server": server}) or 0
            if silent_for > DEAD:
                _forget(connection, server, wholly=silent_for > OVER)

    def leave(self) -> None:
        """Forget this server, which ends."""
        with while_serving(), self._writer.begin() as connection:
            _forget(connection, self.own, wholly=False)

    def trim(self, before: int) -> None:
        """Remove the changes of this process up to number ``before``."""
        with while_serving(), self._writer.begin() as connection:
            connection.execute(delete(changes).where(changes.c.server == self.own, changes.c.seq <= before))


def _forget(connection: Connection, server: int, *, wholly: bool) -> None:
    connection.execute(delete(logins).where(logins.c.server == server))
    connection.execute(delete(present).where(present.c.server == server))
    if wholly:
        connection.execute(delete(changes).where(changes.c.server == server))
        connection.execute(delete(servers).where(servers.c.id == server))
    else:
        connection.execute(update(servers).where(servers.c.id == server).values(here=False))
