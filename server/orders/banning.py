"""Who is banned must go, and may not come back before that is over: a user, an address, or a whole network."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_network
from typing import Final

from server.addresses import address_of
from server.orders.order import Asker, Order, Standing, WrongUsage, first, reasoned, span, user_of
from server.refusals import Refused
from server.rules import FOR_GOOD, Network, because, covers, end_of, terms
from storage.order import Impose, Kind, Lift, Sanction
from wire.names import fold

_LIKE_ONE: Final = re.compile(r"\d+(\.\d+){3}(/.*)?|[\da-f]*:[\da-f:.]*(/.*)?", re.ASCII | re.IGNORECASE)


async def _ban(asker: Asker, words: str) -> Sequence[str]:
    whom, rest = first(words)
    if network := network_of(whom):
        _spare_yourself(asker, network)
        subject = str(network)
    else:
        subject = fold(asker.somebody_else(whom))
    now = asker.server.now()
    until, rest = span(rest, now)
    ban = Sanction(Kind.BAN, subject, until, reasoned(rest), asker.by, now)
    await asker.rule(asker.act("ban", subject, terms(ban)), Impose(ban))
    answer = [f"{subject} is banned{end_of(ban, FOR_GOOD)}"]
    if network and await asker.server.stored.is_here(fold(whom)):
        answer.append(f"that is the address; who is called {whom} is @{whom}")
    return answer


async def _unban(asker: Asker, words: str) -> Sequence[str]:
    if not words:
        raise WrongUsage
    network = network_of(words)
    subject = str(network) if network else fold(user_of(words))
    return await lift(asker, Kind.BAN, subject, "unban")


async def _bans(asker: Asker, _: str) -> Sequence[str]:
    return told(asker, Kind.BAN) or ["nobody is banned"]


def network_of(text: str) -> Network | None:
    """Return the network of addresses that ``text`` is, None where it is a name.

    Raises :class:`WrongUsage` for what was meant to be an address; who is called so is banned with an @ before it.
    """
    text = text.partition("%")[0]  # through which interface one comes is this machine's affair
    if address := address_of(text):
        return ip_network(address)
    try:
        return ip_network(text, strict=False)
    except ValueError:
        if _LIKE_ONE.fullmatch(text):
            raise WrongUsage from None
        return None


def _spare_yourself(asker: Asker, network: Network) -> None:
    address = address_of(asker.connection.host)
    if address is not None and covers(network, address):
        raise Refused("forbidden", f"you are at {address} yourself")


async def lift(asker: Asker, kind: Kind, whom: str, order: str) -> Sequence[str]:
    """End a sanction before its time."""
    known = [sanction for sanction in asker.server.rules.sanctions(kind) if sanction.whom == whom]
    if not known:
        return [f"there is no {kind} of {whom}"]
    await asker.rule(asker.act(order, whom), Lift(kind, whom))
    return [f"the {kind} of {whom} is lifted"]


def told(asker: Asker, kind: Kind) -> list[str]:
    """Return a line for each sanction of a kind."""
    found = asker.server.rules.sanctions(kind)
    return [f"{it.whom}{end_of(it)}{because(it.reason)} (by {it.by})" for it in sorted(found, key=lambda it: it.whom)]


ORDERS: Final = (
    Order(
        "ban NAME|ADDRESS|NETWORK [for 30m|2h|3d|1w] [REASON]",
        "end all connections of somebody, or from somewhere, and let them not come back",
        Standing.OPERATOR,
        _ban,
    ),
    Order("unban NAME|ADDRESS|NETWORK", "let them come back", Standing.OPERATOR, _unban),
    Order("bans", "who is banned, until when and why", Standing.OPERATOR, _bans),
)
