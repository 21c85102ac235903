"""How the processes on one database tell each other what they did.

Each process, a server or an operator's command, has a row in ``servers``. It moves ``batch`` there with whatever it
commits, and the others look at what they have of the rooms: new messages, and a first id that a prune moved, need no
word more. For all else it numbers its changes, 1, 2, 3 …, in the transaction that makes them; the others carry them out
in that order.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Insert, bindparam, func, insert, select

from storage.changes import Change
from storage.schema import changes, servers
from storage.upsert import upsert

_encoder: Final = msgspec.json.Encoder()
_decoder: Final[msgspec.json.Decoder[Change]] = msgspec.json.Decoder(Change)
_LAST: Final = select(servers.c.last_change).where(servers.c.id == bindparam("id")).with_for_update()


def sign(connection: Connection, server: int, batch: int, told: Sequence[Change] = ()) -> None:
    """Note in a process's row that the transaction of ``connection`` holds its batch of that number, and its changes.

    ``server`` is what the process drew for itself when it began (``secrets.randbits(63)``); ``batch`` rises.
    """
    row = {"id": server, "batch": batch}
    if told:
        last = connection.scalar(_LAST, {"id": server}) or 0
        rows = [
            {"server": server, "seq": seq, "what": _encoder.encode(change).decode()}
            for seq, change in enumerate(told, last + 1)
        ]
        connection.execute(insert(changes), rows)
        row["last_change"] = last + len(rows)
    connection.execute(_signature(connection.dialect.name, *list(row)[1:]), row)


def decoded(what: str) -> Change | None:
    """Return the change that ``what`` says; None for one that only a newer program understands."""
    try:
        return _decoder.decode(what)
    except msgspec.ValidationError:
        return None


@cache
def _signature(dialect: str, *changed: str) -> Insert:
    statement: Any = upsert(dialect, servers, *changed, "beat_at")
    signature: Insert = statement.values(beat_at=func.now())
    return signature
