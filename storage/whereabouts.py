"""Who is logged in at a server and who is in its rooms, as the tables tell the other servers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection, delete, update

from storage.interface import Login, Presence, Return
from storage.ledger import Ledger
from storage.prepared import Row, Rows
from storage.schema import changes, logins, present, servers

_ADD_LOGINS: Final = Rows(logins, logins.columns.keys(), changed=["user", "name", "key", "client"])
_ADD_PRESENT: Final = Rows(present, present.columns.keys(), changed=["name"])
KEYS: Final = 500  # of one DELETE


class Whereabouts:
    """The rows of one server, in the transaction that ``connection`` is in."""

    def __init__(self, dialect: str, server: int) -> None:
        self._server = server
        self._is_alone = dialect == "sqlite"

    def write(self, connection: Connection, ledger: Ledger) -> None:
        """Write what came of a batch that is signed."""
        if ledger.returned is not None:
            self._begin(connection, ledger.returned)
        added = [self._row(login) for login in ledger.logins.values() if login is not None]
        gone = [number for number, login in ledger.logins.items() if login is None]
        _ADD_LOGINS.write(connection, added)
        for start in range(0, len(gone), KEYS):
            some = logins.c.number.in_(gone[start : start + KEYS])
            connection.execute(delete(logins).where(logins.c.server == self._server, some))
        for presence in ledger.present:
            self._move(connection, presence)

    def _begin(self, connection: Connection, entry: Return) -> None:
        if self._is_alone:  # whoever served before is no more
            for id in (logins.c.server, present.c.server, changes.c.server, servers.c.id):
                connection.execute(delete(id.table).where(id != self._server))
        connection.execute(delete(present).where(present.c.server == self._server))
        self._add(connection, entry.present)
        connection.execute(update(servers).where(servers.c.id == self._server).values(here=True, auth=entry.auth))

    def _move(self, connection: Connection, presence: Presence) -> None:
        if presence.went:
            there = (present.c.server == self._server) & (present.c.room_id == presence.room)
            connection.execute(delete(present).where(there, present.c.name.in_(presence.went)))
        self._add(connection, [(presence.room, name) for name in presence.came])

    def _add(self, connection: Connection, users: Iterable[tuple[int, str]]) -> None:
        _ADD_PRESENT.write(connection, [(self._server, room, name) for room, name in users])

    def _row(self, login: Login) -> Row:
        return self._server, login.number, login.user, login.name, login.key, login.client
