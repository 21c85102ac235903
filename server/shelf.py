"""What was read from the database, kept a while for who reads it next.

A thousand clients that come back at the same place, or fetch the same file, cost one reading; and who does not take
what was read for it holds none of it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Shelf(Generic[K, V]):
    """Values of ``measure(value)`` bytes by their keys, ``bound`` bytes of them; ``read(key)`` gets one."""

    def __init__(self, read: Callable[[K], Deferred[V]], measure: Callable[[V], int], bound: int) -> None:
        self._read = read
        self._measure = measure
        self._bound = bound
        self._kept: OrderedDict[K, V] = OrderedDict()
        self._asked: dict[K, list[Deferred[V]]] = {}
        self._stale: set[K] = set()  # what is being read and has changed meanwhile
        self.size = 0  # bytes

    def get(self, key: K) -> V | None:
        """Return the value if it is here."""
        value = self._kept.get(key)
        if value is not None:
            self._kept.move_to_end(key)
        return value

    def load(self, key: K) -> Deferred[V]:
        """Read the value anew; asked many times at once it is read once."""
        answer: Deferred[V] = Deferred()
        asked = self._asked.setdefault(key, [])
        asked.append(answer)
        if len(asked) == 1:
            self._read(key).addBoth(self._loaded, key)
        return answer

    def forget(self, concerned: Callable[[K], bool]) -> None:
        """Drop what is ``concerned`` by a change."""
        for key in [key for key in self._kept if concerned(key)]:
            self._drop(key)
        self._stale.update(key for key in self._asked if concerned(key))

    def _loaded(self, result: V | Failure, key: K) -> None:
        if key in self._stale:  # it was read before it changed, or after: nobody knows
            self._stale.discard(key)
        elif not isinstance(result, Failure):
            self._keep(key, result)
        for answer in self._asked.pop(key):
            answer.callback(result)  # a Failure calls the errback

    def _keep(self, key: K, value: V) -> None:
        if key in self._kept:
            self._drop(key)
        self._kept[key] = value
        self.size += self._measure(value)
        while self.size > self._bound and len(self._kept) > 1:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: K) -> None:
        self.size -= self._measure(self._kept.pop(key))
