"""The frame ``run``: which orders there are, and how one is found, run and answered."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from server.accounts import NOT_OFFERED
from server.orders import auditing, banning, deleting, kicking, muting, rooms
from server.orders.order import Asker, Order, Standing, WrongUsage, first, give
from server.refusals import Refused
from storage.interface import Auth
from wire.frames import Run, Text, encode, room_of

if TYPE_CHECKING:
    from server.connection import Connection

_FOR: Final = {
    Standing.ACCOUNT: "who has an account, and register makes your name one",
    Standing.OPERATOR: "operators",
}
LINES: Final = 25  # of one frame: each has less than 2 KB


async def _help(asker: Asker, words: str) -> Sequence[str]:
    may = [order for order in ORDERS.values() if order.standing <= asker.standing]
    if words:
        may = [_found(asker, words)]
    return [f"{order.usage} — {order.help}" for order in may]


HELP: Final = Order("help [COMMAND]", "what you may run", Standing.GUEST, _help)
ORDERS: Final = {
    order.name: order
    for order in (
        HELP,
        *deleting.ORDERS,
        *rooms.ORDERS,
        *kicking.ORDERS,
        *muting.ORDERS,
        *banning.ORDERS,
        *auditing.ORDERS,
    )
}


def take_run(connection: Connection, frame: Run, _: bytes) -> None:
    """Run an order for a client."""
    if asked := connection.questions.opens(frame):
        give(connection, asked, partial(_run, connection, frame))


async def _run(connection: Connection, frame: Run) -> bytes:
    if connection.server.accounts.auth is Auth.OPEN:
        raise Refused("forbidden", NOT_OFFERED)
    asker = Asker(connection, room_of(frame))
    name, words = first(frame.line)
    order = _found(asker, name)
    try:
        lines = await order.run(asker, words.strip())
    except WrongUsage:
        raise Refused("bad_frame", f"usage: {order.usage}") from None
    return b"".join(
        encode(Text(frame.ref), "\n".join(lines[at : at + LINES]).encode()) for at in range(0, len(lines), LINES)
    )


def _found(asker: Asker, name: str) -> Order:
    order = ORDERS.get(name.lower())
    if order is None:
        raise Refused("bad_frame", "there is no such command; help lists those that there are")
    if order.standing > asker.standing:
        raise Refused("forbidden", f"{order.name} is for {_FOR[order.standing]}")
    return order
