"""Who is kicked must go, and may come back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from server.orders.order import Asker, Order, Standing, first, reasoned
from storage.order import Expel
from wire.names import fold


async def _kick(asker: Asker, words: str) -> Sequence[str]:
    name, rest = first(words)
    user, reason = asker.somebody_else(name), reasoned(rest)
    if not await asker.server.stored.is_here(fold(user)):
        return [f"{user} is not here"]
    await asker.rule(asker.act("kick", user, reason), Expel(fold(user), reason))
    return [f"{user} is kicked"]


ORDERS: Final = (Order("kick NAME [REASON]", "end all connections of somebody", Standing.OPERATOR, _kick),)
