"""Entries into tables: lock what they touch, work them out in memory, write what came of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from time import time
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, select, tuple_

from storage.interface import Entry, Login, Outcome, Room, UploadKey
from storage.ledger import LARGE, MESSAGE, PART, ROOM, SENDER, Ledger, Named, SenderKey, SenderRow, Touched
from storage.prepared import ByKeys, Rows
from storage.schema import NAME, logins, messages, parts, rooms, senders, servers, uploads
from storage.signing import sign
from storage.uploads import Upload
from storage.whereabouts import Whereabouts

_KEYS: BindParameter[Any] = bindparam("keys", expanding=True)
_ROOM_KEYS = ByKeys(select(rooms.c.folded, rooms.c.id).where(rooms.c.folded.in_(_KEYS)))
_LOCK_ROOMS = ByKeys(
    select(rooms.c.id, rooms.c.name, rooms.c.first_id, rooms.c.last_id).where(rooms.c.id.in_(_KEYS)).with_for_update()
)
_LOCK_SENDERS = ByKeys(
    select(senders.c.user, senders.c.client, senders.c.epoch, senders.c.received)
    .where(tuple_(senders.c.user, senders.c.client).in_(_KEYS))
    .with_for_update()
)
_LOGINS = ByKeys(
    select(logins.c.server, logins.c.number, logins.c.name, logins.c.key, logins.c.client)
    .where(logins.c.user.in_(_KEYS))
    .order_by(logins.c.server, logins.c.number)
)
_UPLOAD_KEY = (uploads.c.user, uploads.c.client, uploads.c.number)
_LOCK_UPLOADS = ByKeys(
    select(*_UPLOAD_KEY, uploads.c.id, uploads.c.size, uploads.c.head, uploads.c.tail)
    .where(tuple_(*_UPLOAD_KEY).in_(_KEYS))
    .with_for_update()
)
_LOCK_BATCH = select(servers.c.batch).where(servers.c.id == bindparam("id")).with_for_update()

_ADD_ROOMS = Rows(rooms, ROOM[1:], changed=["folded"])
_ADD_SENDERS = Rows(senders, SENDER, changed=["user"])
_ADD_MESSAGES = Rows(messages, MESSAGE)
_ADD_LARGE = Rows(messages, LARGE)
_ADD_PARTS = Rows(parts, PART)
_CHANGE_ROOMS = Rows(rooms, ROOM, changed=["last_id"])
_CHANGE_SENDERS = Rows(senders, SENDER, changed=["epoch", "received", "seen_at"])
_CHANGE_UPLOADS = Rows(
    uploads, uploads.columns.keys(), changed=["number", "size", "head", "tail", "state", "touched_at"]
)


class Posting:
    """The writing side of the storage, for one server and in the dialect of its database.

    Its functions work in the transaction that ``connection`` is in. Senders are locked first, then rooms, then uploads,
    and each in the order of their keys, so that two servers seldom wait for each other crosswise.
    """

    def __init__(self, dialect: str, server: int) -> None:
        self._server = server
        self._is_alone = dialect == "sqlite"
        self._whereabouts = Whereabouts(dialect, server)

    def post(self, connection: Connection, batch: int, entries: Sequence[Entry]) -> list[Outcome]:
        """Carry out ``entries`` as the server's batch of that number and return their outcomes."""
        touched = Touched.by(entries)
        ledger = Ledger(
            self._server,
            self._lock_senders(connection, touched.senders | self._name_locks(touched.users)),
            _names(connection, touched.users),  # behind the lock
            self._lock_rooms(connection, touched),
            _uploads(connection, touched.uploads),
        )
        outcomes = [ledger.carry_out(entry) for entry in entries]
        now = int(time() * 1000)
        _ADD_MESSAGES.write(connection, ledger.messages)
        _ADD_LARGE.write(connection, ledger.large)
        _ADD_PARTS.write(connection, ledger.parts)
        _CHANGE_UPLOADS.write(connection, ledger.changed_uploads(now))
        _CHANGE_SENDERS.write(connection, ledger.changed_senders(seen_at=now))
        _CHANGE_ROOMS.write(connection, ledger.changed_rooms())
        sign(connection, self._server, batch, ledger.told)
        self._whereabouts.write(connection, ledger)
        return outcomes

    def signed(self, connection: Connection) -> int | None:
        """Return the number of the last batch that was committed, after waiting for a commit that is under way."""
        return connection.scalar(_LOCK_BATCH, {"id": self._server})

    def _name_locks(self, users: set[str]) -> set[SenderKey]:
        """Return the rows under whose locks names are decided on: none on SQLite, where one transaction has all."""
        return set() if self._is_alone else {(user, NAME) for user in users}

    def _lock_senders(self, connection: Connection, keys: set[SenderKey]) -> dict[SenderKey, SenderRow]:
        found = _senders(connection, keys)
        if new := keys - found.keys():
            # What is not there cannot be locked, and two servers would both begin it: so put it there first.
            _ADD_SENDERS.write(connection, [(user, client, 0, 0, 0) for user, client in sorted(new)])
            found |= _senders(connection, new)
        return found

    def _lock_rooms(self, connection: Connection, touched: Touched) -> list[Room]:
        keys = _room_keys(connection, touched.names)
        if new := touched.names.keys() - keys.keys():
            _ADD_ROOMS.write(connection, [(touched.names[it], it, 1, 0) for it in sorted(new)])
            keys |= _room_keys(connection, new)
        return [Room(*row) for row in _LOCK_ROOMS.find(connection, touched.rooms.union(keys.values()))]


def _senders(connection: Connection, keys: Collection[SenderKey]) -> dict[SenderKey, SenderRow]:
    rows = _LOCK_SENDERS.find(connection, keys)
    return {(user, client): SenderRow(epoch, received) for user, client, epoch, received in rows}


def _names(connection: Connection, users: Collection[str]) -> list[Named]:
    rows = _LOGINS.find(connection, users)
    return [Named(server, Login(name, client, key, number)) for server, number, name, key, client in rows]


def _room_keys(connection: Connection, names: Collection[str]) -> dict[str, int]:
    return dict(_ROOM_KEYS.find(connection, names))


def _uploads(connection: Connection, keys: Collection[UploadKey]) -> list[Upload]:
    rows = _LOCK_UPLOADS.find(connection, [(key.user, key.client, key.number) for key in keys])
    return [Upload(UploadKey(user, client, number), *row) for user, client, number, *row in rows]
