"""How many bytes may be held for something at once, and who has to wait until there is room again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from twisted.internet.interfaces import IReactorTime

READ: Final = 64 * 1024  # bytes that one connection brings in one turn, at most: what Twisted reads at once
PLACE: Final = 300  # bytes that whatever is kept takes besides what is in it, about


class Budget:
    """``limit`` bytes for all who feed one thing. Backpressure begins here: who is held does not read its socket."""

    def __init__(self, limit: int, clock: IReactorTime) -> None:
        self.limit = limit
        self._clock = clock
        self.taken = 0
        self._held: deque[Callable[[], None]] = deque()
        self._letting_in = False

    @property
    def held(self) -> int:
        """How many wait."""
        return len(self._held)

    @property
    def full(self) -> bool:
        """Whether who feeds has to wait; see :meth:`hold`."""
        return self.taken >= self.limit

    def take(self, size: int) -> None:
        """``size`` bytes are held from now on."""
        self.taken += size

    def give_back(self, size: int) -> None:
        """``size`` bytes are held no more."""
        self.taken -= size
        self._let_in()

    def hold(self, go_on: Callable[[], None]) -> None:
        """Call ``go_on`` once there is room; who waits longest is first."""
        self._held.append(go_on)

    def _let_in(self) -> None:
        """Let in as many as surely fit, and look again in the next turn: only then is known what they brought."""
        room = self.limit - self.taken
        while self._held and room > 0:
            room -= READ
            self._held.popleft()()
        if self._held and not self.full and not self._letting_in:
            self._letting_in = True
            self._clock.callLater(0, self._again)

    def _again(self) -> None:
        self._letting_in = False
        self._let_in()
