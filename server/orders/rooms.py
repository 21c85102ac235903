"""Private rooms: the account that made a room, or an operator, says who may be in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from server.orders.order import Asker, Order, Standing
from server.refusals import Refused
from server.room import Room
from storage.order import Close, Invite, Uninvite
from wire.frames import LOBBY
from wire.names import fold


async def _private(asker: Asker, _: str) -> Sequence[str]:
    room = _own(asker)
    if room.folded == LOBBY:
        raise Refused("forbidden", "the lobby is for all")
    deeds = Close(room.key), Invite(room.key, fold(asker.by))
    await asker.rule(asker.act("private", "", room=room.name), *deeds)
    return [f"{room.name} is private: who is not invited does not see it"]


async def _public(asker: Asker, _: str) -> Sequence[str]:
    room = _own(asker)
    await asker.rule(asker.act("public", "", room=room.name), Close(room.key, private=False))
    return [f"{room.name} is open to all"]


async def _invite(asker: Asker, words: str) -> Sequence[str]:
    room, user = _own(asker), asker.somebody_else(words)
    _invited(asker, room)
    if await asker.server.stored.account(fold(user)) is None:
        raise Refused("forbidden", f"{user} has no account, and only accounts can be invited")
    await asker.rule(asker.act("invite", user, room=room.name), Invite(room.key, fold(user)))
    return [f"{user} may join {room.name}"]


async def _uninvite(asker: Asker, words: str) -> Sequence[str]:
    room, user = _own(asker), asker.somebody_else(words)
    if fold(user) not in _invited(asker, room):
        return [f"{user} is not invited"]
    await asker.rule(asker.act("uninvite", user, room=room.name), Uninvite(room.key, fold(user)))
    return [f"{user} may not be in {room.name} any more"]


async def _list(asker: Asker, _: str) -> Sequence[str]:
    return [" ".join(sorted(_invited(asker, _for_many(asker))))]


def _for_many(asker: Asker) -> Room:
    if asker.room.talk is not None:
        raise Refused("forbidden", "a talk of two is of these two only")
    return asker.room


def _own(asker: Asker) -> Room:
    room = _for_many(asker)
    account = asker.connection.account
    if not asker.is_operator and (account is None or room.owner != account.user):
        raise Refused("forbidden", "only who made this room, or an operator, says who may be in it")
    return room


def _invited(asker: Asker, room: Room) -> frozenset[str]:
    invited = asker.server.rules.invited(room.name)
    if invited is None:
        raise Refused("forbidden", f"{room.name} is open to all; private makes it private")
    return invited


ORDERS: Final = (
    Order("private", "let only accounts that are invited be in this room", Standing.ACCOUNT, _private),
    Order("public", "open it to all again", Standing.ACCOUNT, _public),
    Order("invite NAME", "let an account be in this room", Standing.ACCOUNT, _invite),
    Order("uninvite NAME", "let it be in this room no more", Standing.ACCOUNT, _uninvite),
    Order("invited", "who may be in this room", Standing.ACCOUNT, _list),
)
