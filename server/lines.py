"""Lines of what waits: who has much to say stands in a line of its own, and who has little goes before it."""

from __future__ import annotations

from collections import deque
from typing import Final, Generic, TypeVar

T = TypeVar("T")

HELPING: Final = 8  # things that a line gives in its turn: what a batch has of each client costs besides


class Lines(Generic[T]):
    """Each line keeps its order.

    One that begins with what is to be ``first`` goes before the others, of these a new one before the long ones; what
    a line has beyond a helping waits for its turn among the long.
    """

    def __init__(self) -> None:
        self._first: dict[object, deque[T]] = {}
        self._new: dict[object, deque[T]] = {}
        self._long: dict[object, deque[T]] = {}  # the one whose turn it is first
        self._given = 0  # things, by the line whose turn it is

    def __bool__(self) -> bool:
        return bool(self._first or self._new or self._long)

    @property
    def has_first(self) -> bool:
        """Whether one waits that goes before the others."""
        return bool(self._first)

    def put(self, line: object, thing: T, *, first: bool = False) -> None:
        """Put ``thing`` at the end of a line."""
        if things := self._of(line):
            things.append(thing)
        else:
            (self._first if first else self._new)[line] = deque([thing])

    def last(self, line: object) -> T | None:
        """Return what stands at the end of a line, if anything does."""
        things = self._of(line)
        return things[-1] if things else None

    def take(self) -> T:
        """Take what is next; there is something."""
        lines = self._first or self._new or self._long
        line, things = next(iter(lines.items()))
        thing = things.popleft()
        self._given += 1
        if not things or self._given >= HELPING:
            del lines[line]
            self._given = 0
            if things:
                self._long[line] = things
        return thing

    def _of(self, line: object) -> deque[T] | None:
        return self._first.get(line) or self._new.get(line) or self._long.get(line)
