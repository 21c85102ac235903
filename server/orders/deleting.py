"""Messages are deleted by who said them, as an account, and by operators: with the frame ``delete`` or the order.

One's own is what was said under the account's name since it was registered: before that it may have been another's.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from server.orders.order import Asker, Order, Standing, WrongUsage, give
from server.refusals import Refused
from wire.frames import Delete, room_of

if TYPE_CHECKING:
    from server.connection import Connection


def take_delete(connection: Connection, frame: Delete, _: bytes) -> None:
    """Delete a message for a client."""
    if asked := connection.questions.opens(frame):
        give(connection, asked, partial(_answer, Asker(connection, room_of(frame)), frame.id))


async def _answer(asker: Asker, id: int) -> bytes:
    await _delete(asker, id)
    return b""


async def _delete(asker: Asker, id: int) -> None:
    account = asker.connection.account
    if account is None:
        raise Refused("forbidden", "only accounts may delete what they said")
    room = asker.room
    await asker.turn()
    if asker.is_operator:
        await asker.server.delete(room, id, asker.by, act=asker.act("delete", f"message {id}", room=room.stored_name))
    else:
        await asker.server.delete(room, id, asker.by, account.created_at)


async def _run(asker: Asker, words: str) -> Sequence[str]:
    if not (words.isascii() and words.isdecimal() and len(words) < 16):
        raise WrongUsage
    await _delete(asker, int(words))
    return [f"message {words} is deleted"]


ORDERS: Final = (
    Order("delete ID", "take a message of yours, or as an operator any, from this room", Standing.ACCOUNT, _run),
)
