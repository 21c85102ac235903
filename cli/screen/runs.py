"""Whole numbers, most of them one after another."""

from __future__ import annotations

from bisect import bisect_right


class Runs:
    """A set of whole numbers, kept as the runs that they make: 1 to 4, 9 to 12."""

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []

    @property
    def lowest(self) -> int:
        """The smallest number; IndexError where there is none."""
        return self._firsts[0]

    @property
    def highest(self) -> int:
        """The largest number; IndexError where there is none."""
        return self._lasts[-1]

    def add(self, number: int) -> None:
        """Have ``number`` too."""
        firsts, lasts = self._firsts, self._lasts
        place = bisect_right(firsts, number)
        if place and number <= lasts[place - 1]:
            return
        behind = place > 0 and lasts[place - 1] == number - 1
        before = place < len(firsts) and firsts[place] == number + 1
        if behind and before:
            del firsts[place], lasts[place - 1]
        elif behind:
            lasts[place - 1] = number
        elif before:
            firsts[place] = number
        else:
            firsts.insert(place, number)
            lasts.insert(place, number)

    def run(self, number: int) -> tuple[int, int] | None:
        """Return the first and the last of the run that ``number`` is in, None where it is not in the set."""
        place = bisect_right(self._firsts, number) - 1
        return (self._firsts[place], self._lasts[place]) if place >= 0 and number <= self._lasts[place] else None

    def gap(self, number: int, low: int, high: int) -> tuple[int, int]:
        """Return the run of numbers from ``low`` to ``high`` around ``number`` that are missing as it is."""
        place = bisect_right(self._firsts, number)
        first = self._lasts[place - 1] + 1 if place else low
        last = self._firsts[place] - 1 if place < len(self._firsts) else high
        return max(first, low), min(last, high)

    def drop_lowest(self) -> None:
        """Have the smallest number no more."""
        self._firsts[0] += 1
        if self._firsts[0] > self._lasts[0]:
            del self._firsts[0], self._lasts[0]

    def drop_highest(self) -> None:
        """Have the largest number no more."""
        self._lasts[-1] -= 1
        if self._firsts[-1] > self._lasts[-1]:
            del self._firsts[-1], self._lasts[-1]
