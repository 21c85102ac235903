"""The audit log: who did what to keep order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from server.orders.order import Asker, Order, Standing, WrongUsage
from server.rules import because
from storage.order import Act

USUAL: Final = 20  # acts
MOST: Final = 500


async def _audit(asker: Asker, words: str) -> Sequence[str]:
    if words and not (words.isascii() and words.isdecimal()):
        raise WrongUsage
    acts = await asker.server.stored.audit(min(int(words[:6] or USUAL), MOST))
    return [_line(act) for act in reversed(acts)] or ["nothing was done"]


def _line(act: Act) -> str:
    at = f"{datetime.fromtimestamp(act.at / 1000, UTC):%Y-%m-%d %H:%M:%S}"
    where = f" in {act.room}" if act.room else ""
    return f"{at} {act.by}: {act.order} {act.whom}".rstrip() + where + because(act.reason)


ORDERS: Final = (Order("audit [N]", "the last of what was done, 20 or N", Standing.OPERATOR, _audit),)
