"""Who gave wrong passwords lately, and how long the next one has to wait."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from twisted.internet.interfaces import IReactorTime

FREE: Final = 3  # wrong ones for an account without a pause
FREE_FROM: Final = 50  # from an address: in an office of 500 people many err on a Monday
LONGEST: Final = 15.0  # seconds of a pause; the first one is one second, each further one twice as long
KEPT: Final = 900.0  # seconds for which a wrong one is remembered
MOST: Final = 10_000  # wrong ones of different accounts and addresses that are remembered: 3 MB
ANY: Final = ""
LOCAL: Final = "local"


@dataclass(slots=True)
class Wrong:
    """How many wrong passwords there were, and when the last one came."""

    count: int
    at: float


class Guesses:
    """Pauses behind wrong passwords, by the time of ``clock``.

    An account's wrong passwords make the pauses longer for all who guess at it, but only those wait who did: whoever
    has the password, at an address from which nobody guessed, waits for nobody. Addresses are told apart as
    :func:`server.addresses.network` does: from this machine (None) many may come, which waits by account alone.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._wrong: OrderedDict[tuple[str, str], Wrong] = OrderedDict()  # by user (folded) and network; ANY sums up

    def pause(self, user: str, network: str | None) -> float:
        """Return for how many seconds yet no password of a user (folded) is looked at that comes from ``network``."""
        by_account = self._left(user, network or LOCAL, self._count(user, ANY) - FREE)
        by_address = 0.0 if network is None else self._left(ANY, network, self._count(ANY, network) - FREE_FROM)
        return max(by_account, by_address)

    def wrong(self, user: str, network: str | None) -> None:
        """A password was wrong."""
        network = network or LOCAL
        for key in ((user, network), (user, ANY), (ANY, network)):
            self._wrong[key] = Wrong(self._count(*key) + 1, self._clock.seconds())
            self._wrong.move_to_end(key)
        while len(self._wrong) > MOST:
            self._wrong.popitem(last=False)

    def right(self, user: str, network: str | None) -> None:
        """A password was right: whoever gave it had only mistyped before."""
        network = network or LOCAL
        mistyped = self._count(user, network)
        self._wrong.pop((user, network), None)
        for key in ((user, ANY), (ANY, network)):
            if (all_wrong := self._known(*key)) is not None:
                all_wrong.count = max(0, all_wrong.count - mistyped)

    def _known(self, user: str, network: str) -> Wrong | None:
        known = self._wrong.get((user, network))
        return known if known is not None and self._clock.seconds() - known.at < KEPT else None

    def _count(self, user: str, network: str) -> int:
        known = self._known(user, network)
        return known.count if known is not None else 0

    def _left(self, user: str, network: str, over: int) -> float:
        """Return what is left of a pause, where there were so many wrong ones more than are free."""
        known = self._known(user, network)
        if known is None or over <= 0:
            return 0.0
        return max(0.0, known.at + min(2.0 ** min(over - 1, 10), LONGEST) - self._clock.seconds())
