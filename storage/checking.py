"""What must hold in a database, and where it does not: each check is a query for what is off, and a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, exists, func, or_, select

from storage.interface import Role
from storage.schema import UploadState, accounts, invited, messages, parts, rooms, uploads
from wire.names import TALK


@dataclass(frozen=True, slots=True)
class Check:
    """A promise; ``query`` selects what breaks it, and ``fault`` is said of each row, with its columns filled in."""

    promise: str
    query: Select[Any]
    fault: str


_after = messages.alias()
_following = (
    select(func.min(_after.c.id))
    .where(_after.c.room_id == messages.c.room_id, _after.c.id > messages.c.id)
    .scalar_subquery()
)
_in_room = and_(messages.c.room_id == rooms.c.id)
_first = select(func.min(messages.c.id)).where(_in_room, messages.c.id >= rooms.c.first_id).scalar_subquery()
_of_message = and_(uploads.c.id == messages.c.upload_id, uploads.c.state == UploadState.SENT)
_next_part = func.lead(parts.c.offset).over(partition_by=parts.c.upload_id, order_by=parts.c.offset)
_pieces = (
    select(
        uploads.c.id,
        (parts.c.offset + func.length(parts.c.data)).label("end"),
        func.coalesce(_next_part, uploads.c.size).label("next"),
    )
    .where(uploads.c.id == parts.c.upload_id, uploads.c.state != UploadState.GONE)
    .subquery()
)

CHECKS: Final = (
    Check(
        "rooms begin where they say",
        select(rooms.c.name, rooms.c.first_id, (func.coalesce(_first, rooms.c.last_id + 1) - 1).label("last")).where(
            rooms.c.first_id <= rooms.c.last_id,
            ~exists().where(_in_room, messages.c.id == rooms.c.first_id),
        ),
        "{name}: messages {first_id} to {last} are missing",
    ),
    Check(
        "no message is missing",
        select(
            rooms.c.name,
            (messages.c.id + 1).label("first"),
            (func.coalesce(_following, rooms.c.last_id + 1) - 1).label("last"),
        ).where(
            _in_room,
            messages.c.id >= rooms.c.first_id,
            messages.c.id < rooms.c.last_id,
            ~exists().where(_after.c.room_id == messages.c.room_id, _after.c.id == messages.c.id + 1),
        ),
        "{name}: messages {first} to {last} are missing",
    ),
    Check(
        "rooms end where they say",
        select(rooms.c.name, rooms.c.last_id, func.max(messages.c.id).label("newest"))
        .where(_in_room, messages.c.id > rooms.c.last_id)
        .group_by(rooms.c.name, rooms.c.last_id),
        "{name}: its last message is said to be {last_id}, but there is {newest}",
    ),
    Check(
        "what was pruned is gone",
        select(rooms.c.name, rooms.c.first_id, func.count().label("left"))
        .where(_in_room, messages.c.id < rooms.c.first_id)
        .group_by(rooms.c.name, rooms.c.first_id),
        "{name}: {left} messages are left from before its first one, {first_id}; the next prune removes them",
    ),
    Check(
        "every message is in a room",
        select(messages.c.room_id, func.count().label("count"))
        .where(~exists().where(_in_room))
        .group_by(messages.c.room_id),
        "{count} messages belong to a room that is not there, number {room_id}",
    ),
    Check(
        "who is invited is invited into a room",
        select(invited.c.room_id, func.count().label("count"))
        .where(~exists().where(rooms.c.id == invited.c.room_id))
        .group_by(invited.c.room_id),
        "{count} people are invited into a room that is not there, number {room_id}",
    ),
    Check(
        "a talk of two is of two",
        select(rooms.c.name, func.count().label("count"))
        .where(invited.c.room_id == rooms.c.id, rooms.c.name.startswith(TALK))
        .group_by(rooms.c.name)
        .having(func.count() > 2),
        "{name}: {count} people are in this talk of two",
    ),
    Check(
        "what is deleted has no content",
        select(rooms.c.name, messages.c.id).where(
            _in_room,
            messages.c.deleted,
            (messages.c.text != "") | messages.c.folded.is_not(None) | messages.c.upload_id.is_not(None),
        ),
        "{name}: message {id} is deleted and has a content all the same",
    ),
    Check(
        "every file has its content",
        select(rooms.c.name, messages.c.id, messages.c.size).where(
            _in_room,
            messages.c.id >= rooms.c.first_id,
            messages.c.size > 0,
            ~messages.c.deleted,
            ~exists().where(_of_message, uploads.c.size == messages.c.size),
        ),
        "{name}: message {id} has no content of its {size} bytes",
    ),
    Check(
        "every content has its message",
        select(uploads.c.id, uploads.c.size).where(
            uploads.c.state == UploadState.SENT,
            uploads.c.id.not_in(select(messages.c.upload_id).where(messages.c.upload_id.is_not(None))),
        ),
        "a content of {size} bytes belongs to no message, upload {id}",
    ),
    Check(
        "every upload has its beginning",
        select(uploads.c.id, uploads.c.size).where(
            uploads.c.size > 0,
            uploads.c.state != UploadState.GONE,
            ~exists().where(parts.c.upload_id == uploads.c.id, parts.c.offset == 0),
        ),
        "upload {id} of {size} bytes has no beginning",
    ),
    Check(
        "the parts of an upload follow each other",
        select(_pieces).where(_pieces.c.end != _pieces.c.next),
        "upload {id} has a part that ends at byte {end}, and goes on, or should end, at byte {next}",
    ),
    Check(
        "every part belongs to an upload",
        select(parts.c.upload_id, func.count().label("count"))
        .where(~exists().where(uploads.c.id == parts.c.upload_id))
        .group_by(parts.c.upload_id),
        "{count} parts belong to an upload that is not there, {upload_id}",
    ),
    Check(
        "every account has a password and a role",
        select(accounts.c.name).where(or_(~accounts.c.password.startswith("$argon2id$"), accounts.c.role.not_in(Role))),
        "the account of {name} has no password, or no role that there is; chat-server users passwd and role mend it",
    ),
)


def faults(connection: Connection, check: Check) -> Iterator[str]:
    """Yield a line for each thing that breaks the promise."""
    for row in connection.execution_options(yield_per=100).execute(check.query).mappings():
        yield check.fault.format_map(row)
