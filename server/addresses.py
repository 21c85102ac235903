"""What one address may do: how many connections it has, how fast they come, take names and make rooms."""

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
COMINGS: Final = 2  # connections for each login: who comes only to go takes the others' place at the door
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


class Rate:
    """So many a minute of each address, which may as well come at once."""

    def __init__(self, clock: IReactorTime, a_minute: int) -> None:
        self._clock = clock
        self._share = MINUTE / a_minute
        self._paid_until: dict[str, float] = {}  # each one moves it on by its share of a minute

    def wait(self, network: str, patience: float = 0.0) -> float | None:
        """Count one more, and return for how many seconds it has to wait; None, where that is longer than it would."""
        now = self._clock.seconds()
        before = max(now, self._paid_until.pop(network, now))
        wait = max(0.0, before + self._share - now - MINUTE)
        self._paid_until[network] = before + self._share if wait <= patience else before
        while len(self._paid_until) > TABLE:  # who was not here for long is first to be forgotten
            del self._paid_until[next(iter(self._paid_until))]
        return wait if wait <= patience else None


class Addresses:
    """``connections`` at once from each address, and ``logins`` a minute.

    Logins beyond that are slowed down to that rate, and refused where one would wait too long. As one of them counts
    whatever else is dear or stays for good: a password that is registered, a room that is made, a rule that is changed.
    """

    def __init__(self, clock: IReactorTime, connections: int, logins: int) -> None:
        self._clock = clock
        self._max = connections
        self._logins = Rate(clock, logins)
        self._comings = Rate(clock, COMINGS * logins)
        self._connections: Counter[str] = Counter()  # bounded by all the connections there may be
        self._waiting: dict[Deferred[None], IDelayedCall] = {}

    def check(self, network: str | None) -> None:
        """Raise :class:`Refused` where no other connection may come from there."""
        if network is None:
            return
        if self._connections[network] >= self._max:
            raise Refused("too_many", "too many connections from your address; close some of them")
        if self._comings.wait(network) is None:
            raise Refused("too_many", "too many connections came from your address; try again in a minute")

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
        wait = self._logins.wait(network, PATIENCE)
        if wait is None:
            raise Refused("too_many", "too many logins, new rooms or commands from your address; try again in a minute")
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
