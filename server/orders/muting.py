"""Who is muted reads, and sends nothing before that is over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from server.orders.banning import lift, told
from server.orders.order import Asker, Order, Standing, first, reasoned, span, user_of
from server.rules import FOR_GOOD, end_of, terms
from storage.order import Impose, Kind, Sanction
from wire.names import fold


async def _mute(asker: Asker, words: str) -> Sequence[str]:
    name, rest = first(words)
    user = asker.somebody_else(name)
    now = asker.server.now()
    until, rest = span(rest, now)
    mute = Sanction(Kind.MUTE, fold(user), until, reasoned(rest), asker.by, now)
    await asker.rule(asker.act("mute", user, terms(mute)), Impose(mute))
    return [f"{user} is muted{end_of(mute, FOR_GOOD)}"]


async def _unmute(asker: Asker, words: str) -> Sequence[str]:
    return await lift(asker, Kind.MUTE, fold(user_of(words)), "unmute")


async def _mutes(asker: Asker, _: str) -> Sequence[str]:
    return told(asker, Kind.MUTE) or ["nobody is muted"]


ORDERS: Final = (
    Order("mute NAME [for 30m|2h|3d|1w] [REASON]", "let somebody read, and send nothing", Standing.OPERATOR, _mute),
    Order("unmute NAME", "let them send again", Standing.OPERATOR, _unmute),
    Order("mutes", "who is muted, until when and why", Standing.OPERATOR, _mutes),
)
