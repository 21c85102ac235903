"""How the processes on one database tell each other what they did.

Each process, a server or an operator's command, has a row in ``servers``. It moves ``batch`` there with whatever it
commits, and the others look at what they have of the rooms: new messages, and a first id that a prune moved, need no
word more. For all else it numbers its changes, 1, 2, 3 …, in the transaction that makes them; the others carry them out
in that order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy import Connection, bindparam, func, select

from storage.changes import Change
from storage.prepared import Rows
from storage.schema import changes, servers

_encoder: Final = msgspec.json.Encoder()
_decoder: Final[msgspec.json.Decoder[Change]] = msgspec.json.Decoder(Change)
_ADD_CHANGES: Final = Rows(changes, ["server", "seq", "what"])
_SIGN: Final = Rows(servers, ["id", "batch"], changed=["batch", "beat_at"], beat_at=func.now())
_SIGN_CHANGES: Final = Rows(
    servers, ["id", "batch", "last_change"], changed=["batch", "last_change", "beat_at"], beat_at=func.now()
)
_LAST: Final = select(servers.c.last_change).where(servers.c.id == bindparam("id")).with_for_update()


def sign(connection: Connection, server: int, batch: int, told: Sequence[Change] = ()) -> None:
    """Note in a process's row that the transaction of ``connection`` holds its batch of that number, and its changes.

    ``server`` is what the process drew for itself when it began (``secrets.randbits(63)``); ``batch`` rises.
    """
    if not told:
        _SIGN.write(connection, [(server, batch)])
        return
    last = connection.scalar(_LAST, {"id": server}) or 0
    rows = [(server, seq, _encoder.encode(change).decode()) for seq, change in enumerate(told, last + 1)]
    _ADD_CHANGES.write(connection, rows)
    _SIGN_CHANGES.write(connection, [(server, batch, last + len(rows))])


def decoded(what: str) -> Change | None:
    """Return the change that ``what`` says; None for one that only a newer program understands."""
    try:
        return _decoder.decode(what)
    except msgspec.ValidationError:
        return None
