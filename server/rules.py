"""Who may not do what, as the database has it: bans, mutes, and who may be in which private room."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from ipaddress import IPv4Network, IPv6Network, ip_network
from time import time
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from server.addresses import Address, address_of
from server.refusals import Refused
from storage.interface import Account, IStorage
from storage.order import Kind, Sanction
from wire.names import fold

Network = IPv4Network | IPv6Network

NO_ROOM = "unknown_room", "there is no such room"
FOR_GOOD = " for good"


class Rules:
    """What of that is known here. ``until_read`` reads, also where the database has to be waited for first.

    ``changed`` is called whenever it is not what it was.
    """

    _log = Logger()

    def __init__(
        self, storage: IStorage, until_read: Callable[..., Awaitable[Any]], changed: Callable[[], None]
    ) -> None:
        self._storage = storage
        self._until_read = until_read
        self._changed = changed
        self._users: dict[tuple[Kind, str], Sanction] = {}  # by kind and folded name
        self._networks: dict[Network, Sanction] = {}  # bans
        self._private: dict[str, frozenset[str]] = {}  # folded users by folded room
        self._waiting: list[Deferred[None]] = []  # for the next reading
        self._reading = False
        self._known = False

    def ready(self) -> Deferred[None]:
        """Fire when they are known: nobody is let in before that."""
        return succeed(None) if self._known else self.reread()

    def reread(self) -> Deferred[None]:
        """Fire when all that is committed now is known."""
        known: Deferred[None] = Deferred()
        self._waiting.append(known)
        if not self._reading:
            self._reading = True
            reading = Deferred.fromCoroutine(self._read())
            reading.addErrback(lambda failure: self._log.failure("reading who may not do what", failure))
        return known

    async def _read(self) -> None:
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, []
                sanctions = await self._until_read(self._storage.sanctions)
                private = await self._until_read(self._storage.private_rooms)
                self._take(sanctions, private)
                for known in waiting:
                    known.callback(None)
        finally:
            self._reading = False

    def _take(self, sanctions: Iterable[Sanction], private: dict[str, frozenset[str]]) -> None:
        self._users, self._networks = {}, {}
        for sanction in sanctions:
            if "/" in sanction.whom:
                self._networks[ip_network(sanction.whom)] = sanction
            else:
                self._users[sanction.kind, sanction.whom] = sanction
        self._private = {fold(room): users for room, users in private.items()}
        self._known = True
        self._changed()

    # -- who is sanctioned

    def check_user(self, user: str) -> None:
        """Raise :class:`Refused` where a user of that name may not log in."""
        if ban := self._of(Kind.BAN, user):
            raise Refused("name_taken", told(ban))  # no password helps

    def check_address(self, host: str) -> None:
        """Raise :class:`Refused` where nobody from that address may log in."""
        if self._networks and (address := address_of(host)):
            for network, ban in self._networks.items():
                if covers(network, address) and _counts(ban):
                    raise Refused("too_many", told(ban))

    def check_voice(self, user: str) -> None:
        """Raise :class:`Refused` where a user of that name may not send."""
        if mute := self._of(Kind.MUTE, user):
            raise Refused("forbidden", told(mute))

    def sanctions(self, kind: Kind) -> list[Sanction]:
        """Return those of a kind that are not over."""
        known = [*self._users.values(), *self._networks.values()]
        return [sanction for sanction in known if sanction.kind is kind and _counts(sanction)]

    def _of(self, kind: Kind, user: str) -> Sanction | None:
        sanction = self._users.get((kind, fold(user))) if self._users else None
        return sanction if sanction and _counts(sanction) else None

    # -- who may be where

    def lets(self, account: Account | None, room: str) -> bool:
        """Say whether somebody may be in a room: in a private one accounts that are invited."""
        invited = self._private.get(fold(room)) if self._private else None
        return invited is None or (account is not None and account.user in invited)

    def check_room(self, account: Account | None, room: str) -> None:
        """Raise :class:`Refused`, as if there was no such room, where somebody may not be in it."""
        if not self.lets(account, room):
            raise Refused(*NO_ROOM)

    def invited(self, room: str) -> frozenset[str] | None:
        """Return who may be in a private room, folded; None where it is none."""
        return self._private.get(fold(room))


def told(sanction: Sanction) -> str:
    """Return what who is sanctioned is told."""
    return f"{'banned' if sanction.kind is Kind.BAN else 'muted'}{end_of(sanction)}{because(sanction.reason)}"


def end_of(sanction: Sanction, never: str = "") -> str:
    """Return when it ends, as it follows in a sentence; ``never`` where it does not."""
    if sanction.until is None:
        return never
    return f" until {datetime.fromtimestamp(sanction.until / 1000, UTC):%Y-%m-%d %H:%M} UTC"


def terms(sanction: Sanction) -> str:
    """Return its end and its reason, as they stand alone."""
    return f"{end_of(sanction)}{because(sanction.reason)}".lstrip(" :")


def because(reason: str) -> str:
    """Return a reason as it follows in a sentence."""
    return f": {reason}" if reason else ""


def covers(network: Network, address: Address) -> bool:
    """Say whether a ban of ``network`` is about ``address``: about this machine only where it names nothing else."""
    return address in network and (network.is_loopback or not address.is_loopback)


def _counts(sanction: Sanction) -> bool:
    return sanction.until is None or sanction.until > time() * 1000
