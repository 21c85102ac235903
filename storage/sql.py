"""The storage in an SQL database: SQLite, MySQL or MariaDB, by SQLAlchemy Core."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from time import time
from typing import Any, Final

from sqlalchemy import (
    URL,
    Connection,
    Executable,
    LargeBinary,
    bindparam,
    cast,
    delete,
    false,
    func,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError
from zope.interface import implementer

from storage import database
from storage.accounts import ACCOUNT, ACCOUNTS, account_of
from storage.alone import Alone
from storage.faults import while_committing, while_preparing, while_serving
from storage.interface import (
    Account,
    Batch,
    IStorage,
    Message,
    Open,
    Outcome,
    Room,
    Send,
    Taken,
    UnknownMessage,
    UploadKey,
)
from storage.keeping import NEWEST_ACTS, PARTIES, PRIVATE, SANCTIONS, TALKS, sanction_of
from storage.neighbours import Neighbours
from storage.order import Act, Sanction
from storage.posting import Posting
from storage.prepared import ByWords
from storage.schema import UploadState, logins, messages, metadata, parts, rooms, uploads
from storage.talks import Party, Talk
from storage.upgrade import upgrade
from wire.names import TALK, fold

PAGE: Final = 200  # messages that are held at once where a whole room is read
PIECE: Final = 256 * 1024  # bytes of a large content that are read at once
REMOVED: Final = 16  # parts that are removed in one transaction, so that nobody waits long for it

ROOMS: Final = select(
    rooms.c.id, rooms.c.name, rooms.c.first_id, rooms.c.last_id, rooms.c.owner, rooms.c.private
).order_by(rooms.c.folded)
_NO_TALKS = ROOMS.where(~rooms.c.name.startswith(TALK))
_LAST_ID = select(rooms.c.last_id).where(rooms.c.folded == bindparam("room"))
_SELECTED = (
    select(
        rooms.c.name,
        messages.c.id,
        messages.c.sender,
        messages.c.sent_at,
        messages.c.text,
        messages.c.size,
        messages.c.name,
        messages.c.deleted,
    )
    .where(rooms.c.id == messages.c.room_id)
    .order_by(messages.c.id)
)
# Below the first id some may wait to be removed. (With the bare id SQLite begins each page of a room there.)
_MESSAGES = _SELECTED.where(messages.c.id + 0 >= rooms.c.first_id)
_ONE = _MESSAGES.where(rooms.c.folded == bindparam("room"), messages.c.id == bindparam("id"))
_AFTER = _MESSAGES.where(rooms.c.folded == bindparam("room"), messages.c.id > bindparam("after")).limit(PAGE)
_SPAN = _MESSAGES.where(rooms.c.id == bindparam("room"), messages.c.id.between(bindparam("first"), bindparam("last")))
_SOME = _SELECTED.where(
    rooms.c.id == bindparam("room"),
    messages.c.id.in_(bindparam("ids", expanding=True)),
    messages.c.id + 0 >= rooms.c.first_id,  # with the bare id SQLite reads the whole room for it
    ~messages.c.deleted,
)
# A text that is not folded is so already; a file has no text, and its folded name in that place. Compared as bytes: no
# collation has a say, nothing in a word means anything else, and it is the fastest on both databases.
_SEARCHED = cast(func.coalesce(messages.c.folded, messages.c.text), LargeBinary)
_HITS = (
    select(messages.c.id)
    .where(
        rooms.c.id == bindparam("room"),
        messages.c.room_id == rooms.c.id,
        messages.c.id >= rooms.c.first_id,
        messages.c.id.between(bindparam("first"), bindparam("last")),
        ~messages.c.deleted,
    )
    # Read forwards and sorted then (which is why the id is no bare one here): backwards takes up to twice as long.
    .order_by((messages.c.id + 0).desc())
    .limit(bindparam("limit"))
)
_FOUND = ByWords(_HITS, lambda word: func.instr(_SEARCHED, word) > 0)
_CONTENT = select(messages.c.text, messages.c.upload_id, messages.c.size).where(
    rooms.c.id == bindparam("room"),
    messages.c.room_id == rooms.c.id,
    messages.c.id == bindparam("id"),
    messages.c.id >= rooms.c.first_id,
    ~messages.c.deleted,
)
_PART = (
    select(func.substr(parts.c.data, bindparam("offset") - parts.c.offset + 1, PIECE))
    .where(parts.c.upload_id == bindparam("upload"), parts.c.offset <= bindparam("offset"))
    .order_by(parts.c.offset.desc())
    .limit(1)
)
_OPEN_UPLOADS = select(func.count()).where(
    uploads.c.user == bindparam("user"), uploads.c.client == bindparam("client"), uploads.c.number.is_not(None)
)
_UPLOAD_SIZE = select(uploads.c.size).where(
    uploads.c.user == bindparam("user"),
    uploads.c.client == bindparam("client"),
    uploads.c.number == bindparam("number"),
)
_IS_HERE = select(logins.c.number).where(logins.c.user == bindparam("user")).limit(1)
_TO_REMOVE = (
    select(uploads.c.id)
    .where(
        or_(
            uploads.c.state == UploadState.GONE,
            (uploads.c.state == UploadState.OPEN) & (uploads.c.touched_at < bindparam("forgotten")),
        )
    )
    .limit(1)
    .with_for_update()
)
_OFFSETS = (
    select(parts.c.offset).where(parts.c.upload_id == bindparam("upload")).order_by(parts.c.offset).limit(REMOVED)
)
_SIZE = {
    "sqlite": "SELECT (page_count - freelist_count) * page_size"
    " FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()",
    # What the database knows of its tables it counts only now and then; what was uploaded can be told at any time.
    "mysql": "SELECT GREATEST(COALESCE(SUM(data_length + index_length), 0),"
    " COALESCE((SELECT SUM(size) FROM uploads), 0)) FROM information_schema.tables WHERE table_schema = DATABASE()",
}


@implementer(IStorage)
class Storage:
    """Messages in the database at ``url``, as :class:`IStorage` describes it.

    ``url`` is like ``sqlite:///chat.db`` or ``mysql+pymysql://user:password@host/database``; nothing is reached before
    :meth:`prepare`. Raises :class:`StorageUnusable` for one of another kind. Every function may be called in any
    thread, batches one after the other.
    """

    def __init__(self, url: str | URL) -> None:
        self._url = database.parse(url)
        self._reader = database.connect(self._url, reading=True)
        self._writer = database.connect(self._url).execution_options(**{database.WRITING: True})
        own = secrets.randbits(63)
        self._posting = Posting(self._writer.dialect.name, own)
        self.neighbours = Neighbours(self._read, self._writer, own)
        self._saved = 0  # messages, each in a batch of its own
        self._alone = None if self.shared else Alone(str(self._url.database).removeprefix("file:"))

    def save_msg(self, room: str, sender: str, text: str) -> Message:
        """Store one message, make the room where there is none, and return it with its id."""
        at = int(time() * 1000)
        with while_serving(), self._writer.begin() as connection:
            self._saved += 1
            [opened] = self._posting.post(connection, self._saved, [Open(room)])
            assert isinstance(opened, Room)
            [stored] = self._posting.post(connection, self._saved, [Send(None, 0, opened.key, sender, at, [text])])
            assert isinstance(stored, Taken)
        return Message(opened.name, stored.ids[0], sender, at, text)

    def get_all(self, room: str, after: int = 0) -> Iterator[Message]:
        """Yield the room's messages with an id above ``after``, ascending; each page is a transaction of its own."""
        while page := [Message(*row) for row in self._read(_AFTER, room=fold(room), after=after)]:
            yield from page
            after = page[-1].id

    def get(self, room: str, id: int) -> Message:
        """Return one message; raises :class:`UnknownMessage`."""
        for row in self._read(_ONE, room=fold(room), id=id):
            return Message(*row)
        raise UnknownMessage(f"there is no message {id} in {room}")

    def get_last_msg_id(self, room: str) -> int:
        """Return the id of the room's newest message, 0 where there is none."""
        return sum(last_id for (last_id,) in self._read(_LAST_ID, room=fold(room)))

    def page(self, room: int, first: int, last: int) -> list[Message]:
        """Return the messages ``first`` … ``last`` of the room with that key, ascending, as far as they are kept."""
        return [Message(*row) for row in self._read(_SPAN, room=room, first=first, last=last)]

    def search(self, room: int, words: Sequence[str], first: int, last: int, limit: int) -> list[int]:
        """Return the ids of the newest ``limit`` messages among ``first`` … ``last`` that hold every one of ``words``.

        Newest first. The words are folded and not empty.
        """
        values = {"room": room, "first": first, "last": last, "limit": limit}
        sought = [word.encode() for word in words]
        return [id for (id,) in self._ask(lambda connection: _FOUND.find(connection, sought, values))]

    def some(self, room: int, ids: Sequence[int]) -> list[Message]:
        """Return those of the messages that are kept and not deleted, ascending."""
        return [Message(*row) for row in self._read(_SOME, room=room, ids=ids)]

    def rooms(self, *, talks: bool = False) -> list[Room]:
        """Return every room, talks of two only where they are asked for, sorted by its folded name."""
        return [Room(*row) for row in self._read(ROOMS if talks else _NO_TALKS)]

    def talks(self, user: str) -> list[tuple[Room, Talk]]:
        """Return the talks of two of a user (folded), sorted by the other's folded name."""
        found = [
            (Room(*room), Talk.of(Party(name, since), Party(other, others_since)))
            for *room, name, since, other, others_since in self._read(TALKS, user=user)
        ]
        return [(room, talk) for room, talk in found if room.name == talk.name]

    def parties(self) -> dict[int, list[str]]:
        """Return who is in each talk of two that somebody is in: folded users by the room's key."""
        users: dict[int, list[str]] = {}
        for room, user in self._read(PARTIES):
            users.setdefault(room, []).append(user)
        return users

    def sanctions(self) -> list[Sanction]:
        """Return all bans and mutes, also those that are over."""
        return [sanction_of(row) for row in self._read(SANCTIONS)]

    def private_rooms(self) -> dict[str, frozenset[str]]:
        """Return who may be in each private room: folded users by the room's name."""
        users: dict[str, set[str]] = {}
        for room, user in self._read(PRIVATE):
            users.setdefault(room, set()).update({user} - {None})
        return {room: frozenset(names) for room, names in users.items()}

    def audit(self, limit: int) -> list[Act]:
        """Return the newest ``limit`` rows of the audit log, newest first."""
        return [Act(*row) for row in self._read(NEWEST_ACTS, limit=limit)]

    def is_here(self, user: str) -> bool:
        """Return whether a user (folded) is logged in at any server."""
        return bool(self._read(_IS_HERE, user=user))

    def account(self, user: str) -> Account | None:
        """Return the account of a user (folded), None where there is none."""
        return next(map(account_of, self._read(ACCOUNT, user=user)), None)

    def accounts(self) -> list[Account]:
        """Return every account, sorted by its folded name."""
        return [account_of(row) for row in self._read(ACCOUNTS)]

    def content(self, room: int, id: int, offset: int) -> bytes:
        """Return some of a message's content from byte ``offset`` on, nothing at its end; raises UnknownMessage."""
        for said, upload, size in self._read(_CONTENT, room=room, id=id):
            if upload is None:
                whole: bytes = said.encode()
                return whole[offset : offset + PIECE]
            if offset >= size:
                return b""
            for (data,) in self._read(_PART, upload=upload, offset=offset):
                return bytes(data)
        raise UnknownMessage(f"there is no message {id}")

    def upload_size(self, upload: UploadKey) -> int:
        """Return how many bytes of an upload are stored, 0 where there is none."""
        found = self._read(_UPLOAD_SIZE, user=upload.user, client=upload.client, number=upload.number)
        return sum(size for (size,) in found)

    def open_uploads(self, user: str, client: bytes) -> int:
        """Return how many uploads of a client are stored that are not sent yet."""
        return sum(count for (count,) in self._read(_OPEN_UPLOADS, user=user, client=client))

    def clean(self, forgotten: int) -> bool:
        """Remove some of an upload that was dropped or left alone since ``forgotten``; return whether there is more.

        Where there is not, nothing of what was deleted can be read in SQLite's files any more.
        """
        with while_serving(), self._writer.begin() as connection:
            upload: int | None = connection.scalar(_TO_REMOVE, {"forgotten": forgotten})
            if upload is not None:
                _remove_some(connection, upload)
        if upload is None:
            database.empty_log(self._writer)
        return upload is not None

    def size(self) -> int:
        """Return how many bytes the database holds, without what is free in its files."""
        return sum(int(size) for (size,) in self._read(text(_SIZE[self._reader.dialect.name])))

    @property
    def shared(self) -> bool:
        """Whether several servers may serve it at once."""
        return self._writer.dialect.name != "sqlite"

    def serve(self) -> None:
        """Serve it from now on; raises :class:`StorageUnusable` where another server does, and only one may."""
        if self._alone is not None:
            self._alone.take()
        else:
            database.let_nobody_wait_for_us(self._writer)

    def prepare(self) -> list[str]:
        """Reach the database, bring its schema up to date and see that it can be written to."""
        with while_preparing(self._url), self._writer.begin() as connection:
            upgrade(connection)
            for table in metadata.sorted_tables:
                nothing = select(table).where(false())
                connection.execute(insert(table).from_select(table.columns.keys(), nothing))
            return database.weaknesses(connection)

    def commit(self, batch: Batch) -> list[Outcome]:
        """Carry out the entries in one transaction and return an outcome for each, in their order."""
        with while_serving(), self._writer.connect() as connection, connection.begin() as transaction:
            if batch.attempt is not None and self._posting.signed(connection) == batch.number:
                return batch.attempt
            outcomes = self._posting.post(connection, batch.number, batch.entries)
            batch.attempt = outcomes  # if the answer is lost, these may hold
            with while_committing():
                transaction.commit()
            return outcomes

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._reader.dispose()
        self._writer.dispose()
        if self._alone is not None:
            self._alone.let_go()

    def _read(self, statement: Executable, **values: object) -> Sequence[Sequence[Any]]:
        return self._ask(lambda connection: connection.execute(statement, values).all())

    def _ask(self, ask: Callable[[Connection], Sequence[Sequence[Any]]]) -> Sequence[Sequence[Any]]:
        with while_serving():
            try:
                return self._asked(ask)
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
            # The connection had died in the pool, which says nothing of the database.
            return self._asked(ask)

    def _asked(self, ask: Callable[[Connection], Sequence[Sequence[Any]]]) -> Sequence[Sequence[Any]]:
        with self._reader.connect() as connection:
            return ask(connection)


def _remove_some(connection: Connection, upload: int) -> None:
    offsets = connection.scalars(_OFFSETS, {"upload": upload}).all()
    if offsets:
        connection.execute(update(uploads).where(uploads.c.id == upload).values(number=None, state=UploadState.GONE))
        some = parts.c.offset.between(offsets[0], offsets[-1])
        connection.execute(delete(parts).where(parts.c.upload_id == upload, some))
    else:
        connection.execute(delete(uploads).where(uploads.c.id == upload))
