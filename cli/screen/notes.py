"""What stands between messages and is none: the program's own notices, refused texts, who came and went."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from cli.screen.lines import Kind, Line

NOTES: Final = 1000  # of one room: they are on no server, and who scrolls back so far misses none
NAMES: Final = 1000  # of people who came, and of people who went: more than a server names
FEW: Final = 6  # people who are named; of more the number is shown


class Comings:
    """Who came and who went since the last message; who did both did neither."""

    def __init__(self) -> None:
        self._joined: dict[str, None] = {}  # in their order
        self._left: dict[str, None] = {}

    def take(self, joined: Iterable[str], left: Iterable[str]) -> None:
        """Some more came and went."""
        _move(joined, self._joined, self._left)
        _move(left, self._left, self._joined)

    def lines(self, shows: Callable[[str], bool]) -> list[Line]:
        """Return the line that tells of those whom one ``shows``, nothing where there are none."""
        joined, left = list(filter(shows, self._joined)), list(filter(shows, self._left))
        if len(joined) + len(left) <= FEW:
            words = [*(f"+{name}" for name in joined), *(f"−{name}" for name in left)]
        else:
            words = [f"{sign}{len(names)}" for sign, names in (("+", joined), ("−", left)) if names]
        return [Line(Kind.PRESENCE, " ".join(words))] if words else []


class Notes:
    """Lines by the id of the message that they stand behind."""

    def __init__(self) -> None:
        self._behind: dict[int, list[Line | Comings]] = {}
        self._count = 0

    def add(self, id: int, note: Line | Comings) -> None:
        """Put ``note`` behind the message ``id``, and forget the oldest where there are too many."""
        self._behind.setdefault(id, []).append(note)
        self._count += 1
        if self._count > NOTES:
            oldest = min(self._behind)
            del self._behind[oldest][0]
            self._count -= 1
            if not self._behind[oldest]:
                del self._behind[oldest]

    def come_and_go(self, id: int, joined: Iterable[str], left: Iterable[str]) -> None:
        """Tell behind the message ``id`` who came and went, in one line for all that happens there."""
        comings = next((note for note in self._behind.get(id, ()) if isinstance(note, Comings)), None)
        if comings is None:
            self.add(id, comings := Comings())
        comings.take(joined, left)

    def lines(self, id: int, shows: Callable[[str], bool]) -> list[Line]:
        """Return what stands behind the message ``id``; of comings and goings those of people whom one ``shows``."""
        return [
            line
            for note in self._behind.get(id, ())
            for line in ([note] if isinstance(note, Line) else note.lines(shows))
        ]

    def move(self, first: int, last: int) -> None:
        """Have none but behind the ids ``first`` to ``last``: those from elsewhere go to the nearer end."""
        for id in sorted(self._behind):
            if not first <= id <= last:
                notes = self._behind.pop(id)
                place = self._behind.setdefault(first if id < first else last, [])
                place[:] = [*notes, *place] if id < first else [*place, *notes]


def _move(names: Iterable[str], to: dict[str, None], other: dict[str, None]) -> None:
    for name in names:
        if name in other:
            del other[name]
        elif len(to) < NAMES:
            to[name] = None
