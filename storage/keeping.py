"""What keeps order in the database: sanctions, who may be in private rooms, and the audit log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, null, select, update

from storage.order import Act, Close, Deed, Disown, Expel, Impose, Invite, Kind, Lift, Sanction, Uninvite
from storage.prepared import Rows
from storage.schema import accounts, audit, invited, rooms, sanctions
from wire.names import TALK

SANCTIONS: Final = select(
    sanctions.c.kind, sanctions.c.whom, sanctions.c.until, sanctions.c.reason, sanctions.c.by, sanctions.c.at
).order_by(sanctions.c.kind, sanctions.c.whom)
PRIVATE: Final = (
    select(rooms.c.name, invited.c.user)
    .select_from(rooms.outerjoin(invited, invited.c.room_id == rooms.c.id))
    .where(rooms.c.private)
    .order_by(rooms.c.folded, invited.c.user)
)
# Who is in a talk of two stands there too; no account that had one of their names before is in it.
_mine, _others, _me, _other = invited.alias(), invited.alias(), accounts.alias(), accounts.alias()
TALKS: Final = (
    select(
        rooms.c.id,
        rooms.c.name,
        rooms.c.first_id,
        rooms.c.last_id,
        *(column for it in (_me, _other) for column in (it.c.name, it.c.created_at)),
    )
    .where(
        _mine.c.user == bindparam("user"),
        _mine.c.room_id == rooms.c.id,
        rooms.c.name.startswith(TALK),
        _others.c.room_id == rooms.c.id,
        _others.c.user != _mine.c.user,
        _me.c.user == _mine.c.user,
        _other.c.user == _others.c.user,
    )
    .order_by(_other.c.user)
)
PARTIES: Final = (
    select(invited.c.room_id, invited.c.user)
    .where(rooms.c.id == invited.c.room_id, rooms.c.name.startswith(TALK))
    .order_by(invited.c.room_id, invited.c.user)
)
NEWEST_ACTS: Final = (
    select(audit.c.at, audit.c.by, audit.c.order, audit.c.whom, audit.c.room, audit.c.reason)
    .order_by(audit.c.id.desc())
    .limit(bindparam("limit"))
)
_IMPOSE = Rows(sanctions, sanctions.columns.keys(), changed=["until", "reason", "by", "at"])
_INVITE = Rows(invited, invited.columns.keys(), changed=["user"])
_ADD_ACTS = Rows(audit, audit.columns.keys()[1:])


def sanction_of(row: Iterable[Any]) -> Sanction:
    """Return the sanction that a row of :data:`SANCTIONS` tells of."""
    kind, *rest = row
    return Sanction(Kind(kind), *rest)


class Keeping:
    """Writes deeds and acts, in the transaction that ``connection`` is in."""

    def write(self, connection: Connection, deeds: Iterable[Deed], acts: Iterable[Act]) -> None:
        """Do all that, in that order."""
        for deed in deeds:
            self._do(connection, deed)
        _ADD_ACTS.write(connection, [astuple(act) for act in acts])

    def _do(self, connection: Connection, deed: Deed) -> None:
        match deed:
            case Impose(sanction):
                _IMPOSE.write(connection, [(sanction.kind.value, *astuple(sanction)[1:])])
            case Lift(kind, whom):
                connection.execute(delete(sanctions).where(sanctions.c.kind == kind, sanctions.c.whom == whom))
            case Close(room, private):
                connection.execute(update(rooms).where(rooms.c.id == room).values(private=private))
            case Invite(room, user):
                _INVITE.write(connection, [(room, user)])
            case Uninvite(room, user):
                connection.execute(delete(invited).where(invited.c.room_id == room, invited.c.user == user))
            case Disown(user):
                connection.execute(delete(invited).where(invited.c.user == user))
                connection.execute(update(rooms).where(rooms.c.owner == user).values(owner=null()))
            case Expel():
                pass  # the servers do it
