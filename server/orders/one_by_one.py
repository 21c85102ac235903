"""What one user orders is done one after the other: each order is a commit that others wait for with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from twisted.internet.defer import DeferredLock

T = TypeVar("T")


class OneByOne:
    """Has each of the users do one thing at a time, whatever number of connections they have."""

    def __init__(self) -> None:
        self._turns: dict[str, DeferredLock] = {}  # of who is doing something

    async def do(self, user: str, work: Callable[[], Awaitable[T]]) -> T:
        """Return what ``work`` does, when all is done that ``user`` had wanted before."""
        turn = self._turns.setdefault(user, DeferredLock())
        try:
            async with turn:
                return await work()
        finally:
            if not turn.locked and self._turns.get(user) is turn:  # to let it go may have let others finish
                del self._turns[user]
