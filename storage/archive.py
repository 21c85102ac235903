"""Everything that a database holds as a stream of records, in an order that depends on nothing but what was said.

The records are those of ``docs/operating.md``, "Export and import". Two databases with the same chat give the same
records, whatever kind they are: nothing stands in them that a database made up, and nothing that servers tell each
other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct, field
from sqlalchemy import Connection, Row, Select, bindparam, func, or_, select

from storage.accounts import ACCOUNTS
from storage.interface import Role
from storage.keeping import SANCTIONS
from storage.order import Kind
from storage.schema import (
    MAX_FOLDED,
    MAX_REASON,
    NAME,
    UploadState,
    accounts,
    audit,
    invited,
    messages,
    parts,
    rooms,
    senders,
    uploads,
)
from storage.sql import ROOMS
from wire.names import MAX_FILE_NAME, MAX_NAME, fold

VERSION: Final = 1
PAGE: Final = 200  # rows that are held at once: of the largest messages 12 MB
PARTS: Final = 4  # of which each has up to 1 MiB

_Number = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME)]
_Folded = Annotated[str, Meta(min_length=1, max_length=MAX_FOLDED)]
_Reason = Annotated[str, Meta(max_length=MAX_REASON)]
_Client = Annotated[bytes, Meta(min_length=32, max_length=32)]


class Record(Struct, tag=str.lower, tag_field="type", omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """One line of an export; ``bytes`` are base64 there."""


class Chat(Record):
    """The first one: what this is, and in which form."""

    version: Literal[1]


class Room(Record):
    """A room; its messages ``first_id`` … ``last_id`` follow, without a gap."""

    name: _Name
    first_id: _Number
    last_id: _Number
    owner: _Folded | None = None  # the account that made it
    private: bool = False
    invited: list[_Folded] = []  # who may be in it, where it is private


class Message(Record):
    """A message; where it is large or a file its content follows, in parts that have ``size`` bytes together."""

    room: _Name
    id: _Number
    sender: _Name = field(name="from")
    at: _Number  # milliseconds since 1970-01-01 UTC
    text: str = ""
    size: _Number | None = None
    name: Annotated[str, Meta(max_length=MAX_FILE_NAME)] | None = None
    deleted: bool = False


class Part(Record):
    """Some of the content of what stands above it."""

    offset: _Number
    data: Annotated[bytes, Meta(min_length=1, max_length=2**20)]


class Sender(Record):
    """What a client program has sent up to now; ``client`` is the SHA-256 of its secret."""

    user: _Folded
    client: _Client
    epoch: _Number
    received: _Number
    seen_at: _Number


class Upload(Record):
    """An upload that is not sent yet; the ``size`` bytes of it that are there follow in parts."""

    user: _Folded
    client: _Client
    number: _Number
    size: _Number
    touched_at: _Number


class Sanction(Record):
    """A ban or a mute; see :class:`storage.order.Sanction`."""

    kind: Kind
    whom: _Folded
    until: _Number | None
    reason: _Reason
    by: _Name
    at: _Number


class Act(Record):
    """A row of the audit log; the oldest comes first. See :class:`storage.order.Act`."""

    at: _Number
    by: _Name
    order: Annotated[str, Meta(max_length=16)]
    whom: Annotated[str, Meta(max_length=MAX_FOLDED)]
    room: Annotated[str, Meta(max_length=MAX_NAME)]
    reason: _Reason


class Account(Record):
    """A name that needs its password, of which ``password`` is the hash."""

    name: _Name
    role: Role
    created_at: _Number
    password: Annotated[str, Meta(pattern=r"^\$argon2id\$", max_length=255)]


class End(Record):
    """The last one; an export without it was cut off. ``records`` stand before it."""

    records: _Number


AnyRecord = Chat | Room | Message | Part | Sender | Upload | Account | Sanction | Act | End

_MESSAGES = (
    select(
        messages.c.id,
        messages.c.sender,
        messages.c.sent_at,
        messages.c.text,
        messages.c.size,
        messages.c.name,
        messages.c.deleted,
        messages.c.upload_id,
    )
    .where(messages.c.room_id == bindparam("room"), messages.c.id > bindparam("after"))
    .order_by(messages.c.id)
    .limit(PAGE)
)
_PARTS = (
    select(parts.c.offset, parts.c.data)
    .where(parts.c.upload_id == bindparam("upload"), parts.c.offset > bindparam("after"))
    .order_by(parts.c.offset)
    .limit(PARTS)
)
# "user >=" is what an index is good for.
_SENDERS = (
    select(senders.c.user, senders.c.client, senders.c.epoch, senders.c.received, senders.c.seen_at)
    .where(
        senders.c.client != NAME,
        senders.c.user >= bindparam("user"),
        or_(senders.c.user > bindparam("user"), senders.c.client > bindparam("client")),
    )
    .order_by(senders.c.user, senders.c.client)
    .limit(PAGE)
)
_OPEN = (
    select(uploads.c.user, uploads.c.client, uploads.c.number, uploads.c.size, uploads.c.touched_at, uploads.c.id)
    .where(
        uploads.c.state == UploadState.OPEN,
        uploads.c.user >= bindparam("user"),
        or_(
            uploads.c.user > bindparam("user"),
            uploads.c.client > bindparam("client"),
            (uploads.c.client == bindparam("client")) & (uploads.c.number > bindparam("number")),
        ),
    )
    .order_by(uploads.c.user, uploads.c.client, uploads.c.number)
    .limit(PAGE)
)


_INVITED = select(invited.c.user).where(invited.c.room_id == bindparam("room")).order_by(invited.c.user)
_ACTS = (
    select(audit.c.at, audit.c.by, audit.c.order, audit.c.whom, audit.c.room, audit.c.reason, audit.c.id)
    .where(audit.c.id > bindparam("after"))
    .order_by(audit.c.id)
    .limit(PAGE)
)
_ACCOUNTS = ACCOUNTS.where(accounts.c.user > bindparam("user")).limit(PAGE)


def count(connection: Connection) -> int:
    """Return how many messages there are."""
    return int(connection.scalar(select(func.coalesce(func.sum(rooms.c.last_id - rooms.c.first_id + 1), 0))) or 0)


def read(connection: Connection) -> Iterator[AnyRecord]:
    """Yield everything; ``connection`` must see one state of the database from the beginning to the end."""
    number = 0
    for number, record in enumerate(_all(connection), 1):  # noqa: B007
        yield record
    yield End(number)


def _all(connection: Connection) -> Iterator[AnyRecord]:
    yield Chat(VERSION)
    for key, *row in connection.execute(ROOMS).all():
        room = Room(*row)
        room.invited = list(connection.scalars(_INVITED, {"room": key}))
        yield room
        yield from _messages(connection, key, room)
    first = {"user": "", "client": b"", "number": -1}
    for row in _paged(connection, _SENDERS, first, lambda row: {"user": row.user, "client": row.client}):
        yield Sender(*row)
    for *row, id in _paged(connection, _OPEN, first, _upload_key):
        yield Upload(*row)
        yield from _parts(connection, id)
    for row in _paged(connection, _ACCOUNTS, first, lambda row: {"user": fold(row.name)}):
        yield Account(*row)
    yield from (Sanction(Kind(kind), *row) for kind, *row in connection.execute(SANCTIONS))
    for *row, _ in _paged(connection, _ACTS, {"after": 0}, lambda row: {"after": row.id}):
        yield Act(*row)


def _messages(connection: Connection, key: int, room: Room) -> Iterator[AnyRecord]:
    before = {"room": key, "after": room.first_id - 1}  # what is below may wait to be removed
    for *row, upload in _paged(connection, _MESSAGES, before, lambda row: {"after": row.id}):
        yield Message(room.name, *row)
        if upload is not None:
            yield from _parts(connection, upload)


def _parts(connection: Connection, upload: int) -> Iterator[Part]:
    rows = _paged(connection, _PARTS, {"upload": upload, "after": -1}, lambda row: {"after": row.offset})
    return (Part(*row) for row in rows)


def _upload_key(row: Row[Any]) -> dict[str, Any]:
    return {"user": row.user, "client": row.client, "number": row.number}


def _paged(
    connection: Connection, page: Select[Any], first: dict[str, Any], key: Callable[[Row[Any]], dict[str, Any]]
) -> Iterator[Any]:
    """Yield the rows of one ``page`` after the other; each begins behind the ``key`` of the last row before it."""
    after = first
    while rows := connection.execute(page, after).all():
        yield from rows
        after = after | key(rows[-1])
