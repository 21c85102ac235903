"""What one address may do: how many connections it has, and how fast it takes names and makes rooms."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from server.refusals import Refused

MINUTE: Final = 60.0  # seconds: as many logins as one may have in it may come at once
PATIENCE: Final = 30.0  # seconds that a login waits for its turn at the most
TABLE: Final = 10_000  # addresses that are remembered


Address = IPv4Address | IPv6Address


def address_of(host: str) -> Address | None:
    """Return the address that ``host`` is, None for another name; one of IPv4 inside IPv6 is that of IPv4."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


@lru_cache(TABLE)
def network(host: str | None) -> str | None:
    """Return what counts as one address: an IPv4 address, or the /64 that somebody has of IPv6.

    None for what has no limits: this machine itself, and what has no address.
    """
    address = address_of((host or "").partition("%")[0])
    if address is None or address.is_loopback:
        return None
    return str(address) if isinstance(address, IPv4Address) else str(ip_network((address, 64), strict=False))


class Addresses:
    """``connections`` at once from each address, and ``logins`` a minute.

    Logins beyond that are slowed down to that rate, and refused where one would wait too long. As one of them counts
    whatever else is dear or stays for good: a password that is registered, a room that is made, a rule that is changed.
    """

    def __init__(self, clock: IReactorTime, connections: int, logins: int) -> None:
        self._clock = clock
        self._max = connections
        self._logins = logins
        self._connections: Counter[str] = Counter()  # bounded by all the connections there may be
        self._paid_until: dict[str, float] = {}  # each login moves it on by its share of a minute
        self._waiting: dict[Deferred[None], IDelayedCall] = {}

    def has_room(self, network: str | None) -> bool:
        """Whether another connection may come from there."""
        return network is None or self._connections[network] < self._max

    def came(self, network: str | None) -> None:
        """There is one more connection."""
        if network is not None:
            self._connections[network] += 1

    def went(self, network: str | None) -> None:
        """There is one less."""
        if network is not None:
            self._connections[network] -= 1
            if self._connections[network] <= 0:
                del self._connections[network]

    def turn(self, network: str | None) -> Deferred[None]:
        """Return what fires when a login from there may go on; raises :class:`Refused` where that would take long."""
        if network is None:
            return succeed(None)
        now = self._clock.seconds()
        paid_until = max(now, self._paid_until.pop(network, now)) + MINUTE / self._logins
        wait = max(0.0, paid_until - now - MINUTE)
        if wait > PATIENCE:
            self._paid_until[network] = paid_until - MINUTE / self._logins
            raise Refused("too_many", "too many logins, new rooms or commands from your address; try again in a minute")
        self._paid_until[network] = paid_until
        self._forget()
        return self._in_turn(wait) if wait else succeed(None)

    def let_all_in(self) -> None:
        """Let nobody wait any more: the server is about to end."""
        for turn, due in list(self._waiting.items()):
            due.cancel()
            self._come(turn)

    def _in_turn(self, wait: float) -> Deferred[None]:
        turn: Deferred[None] = Deferred()
        self._waiting[turn] = self._clock.callLater(wait, self._come, turn)
        return turn

    def _come(self, turn: Deferred[None]) -> None:
        del self._waiting[turn]
        turn.callback(None)

    def _forget(self) -> None:
        """Keep the table within its bound: who has not logged in for long is first to go."""
        while len(self._paid_until) > TABLE:
            del self._paid_until[next(iter(self._paid_until))]
