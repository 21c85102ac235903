"""The results of measurements, read back: what the rounds say together."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple


class Spread(NamedTuple):
    """What several rounds found."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread | None:
        """Return the median and the ends of ``values``, None where there are none."""
        found = sorted(values)
        return cls(median(found), found[0], found[-1]) if found else None


class Results:
    """Lines of JSON as :func:`bench.runs.keep` writes them."""

    def __init__(self, lines: Iterable[dict[str, Any]]) -> None:
        self._lines = list(lines)
        self._measured = [line for line in self._lines if "figures" in line]

    @classmethod
    def read(cls, path: Path) -> Results:
        """Return what is in the file."""
        return cls(json.loads(line) for line in path.read_text().splitlines())

    @property
    def missing(self) -> list[str]:
        """What is not installed, each with the command that installs it."""
        return sorted({line["missing"] for line in self._lines if "missing" in line})

    @property
    def load(self) -> float:
        """How many processes wanted to run on the machine before the measurements began."""
        return max((float(line["load"]) for line in self._lines if "load" in line), default=0.0)

    @property
    def broken(self) -> list[str]:
        """Which runs did not come to their end, and why."""
        lines = [line for line in self._lines if "broken" in line]
        return [f"{line['work']}, {line['server']}: {line['broken']}" for line in lines]

    def cases(self, work: str) -> list[dict[str, Any]]:
        """Return what ``work`` was measured for, as the parameters of its command."""
        found = [line["given"] for line in self._measured if line["work"] == work]
        return [given for number, given in enumerate(found) if given not in found[:number]]

    def servers(self, work: str, given: dict[str, Any]) -> list[str]:
        """Return the names of the servers that were measured so."""
        names = [line["server"] for line in self._measured if line["work"] == work and line["given"] == given]
        return list(dict.fromkeys(names))

    def figures(self, work: str, given: dict[str, Any]) -> list[str]:
        """Return the names of what was found."""
        found = [line["figures"] for line in self._measured if line["work"] == work and line["given"] == given]
        return list(found[0]) if found else []

    def rounds(self, work: str, server: str, figure: str, **given: Any) -> dict[int, float]:
        """Return what each round found, by its number."""
        return {
            line["round"]: line["figures"][figure]
            for line in self._measured
            if (line["work"], line["server"], line["given"]) == (work, server, given)
        }

    def spread(self, work: str, server: str, figure: str, **given: Any) -> Spread | None:
        """Return what the rounds found together."""
        return Spread.of(self.rounds(work, server, figure, **given).values())

    def ratio(
        self, work: str, ours: str, others: Iterable[str], figure: str, best: Callable[..., float] = max, **given: Any
    ) -> Spread | None:
        """Return ours to the best of the others, taken within each round."""
        rounds = [self.rounds(work, other, figure, **given) for other in others]
        mine = self.rounds(work, ours, figure, **given)
        pairs = [(mine[number], [other[number] for other in rounds if number in other]) for number in mine]
        return Spread.of(own / best(theirs) for own, theirs in pairs if theirs)
