"""The lines of a room at positions that stay what they are, whatever is fetched, comes or is let go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from cli.screen.history import History
from cli.screen.lines import Line

UNSENT: Final = 2**53  # in place of an id for what is not sent yet: above all ids

Position = tuple[int, int]
"""The id of a message, and which of its lines.

Lines above it count downward from -1; those of the message upward from 0, and those behind it on from there.
"""


class Lines(NamedTuple):
    """What is shown for one message: the lines ``above`` it, then its own and those behind it."""

    above: list[Line]
    below: list[Line]


class Rows:
    """Lines by their positions. ``lines`` are those for an id: of a message, of the last of a gap, ``UNSENT``, and of
    the place before the first message.
    """

    def __init__(self, history: History, lines: Callable[[int], Lines]) -> None:
        self._history = history
        self._lines = lines

    def __getitem__(self, position: Position) -> Line:
        """Return the line at ``position``; IndexError where there is none."""
        id, part = position
        above, below = self._lines(self._place(id))
        if not -len(above) <= part < len(below):
            raise IndexError(position)
        return below[part] if part >= 0 else above[part]

    @property
    def end(self) -> Position | None:
        """The position of the last line, None where there is none."""
        return next((position for position, _ in self.older((UNSENT, UNSENT))), None)

    def nearest(self, position: Position) -> Position | None:
        """Return ``position`` or, where no line is there, the one before, else the one behind."""
        id, part = position
        for near, _ in self.older((id, part + 1)):
            return near
        for near, _ in self.newer(position):
            return near
        return None

    def newer(self, position: Position) -> Iterator[tuple[Position, Line]]:
        """Yield the lines below ``position``, downward."""
        id: int | None = self._place(position[0])
        part = position[1] + 1
        while id is not None:
            above, below = self._lines(id)
            for at in range(max(part, -len(above)), len(below)):
                yield (id, at), below[at] if at >= 0 else above[at]
            id, part = self._below(id), -UNSENT

    def older(self, position: Position) -> Iterator[tuple[Position, Line]]:
        """Yield the lines above ``position``, upward."""
        id: int | None = self._place(position[0])
        part = position[1]
        while id is not None:
            above, below = self._lines(id)
            for at in range(min(part, len(below)) - 1, -len(above) - 1, -1):
                yield (id, at), below[at] if at >= 0 else above[at]
            id, part = self._above(id), UNSENT

    def _place(self, id: int) -> int:
        """Return the id that stands for ``id``: of a gap the last, beyond the ends the nearest."""
        history = self._history
        if id != UNSENT:
            id = min(max(id, history.first_id - 1), history.last_id)
        return history.gap(id).last if history.is_missing(id) else id

    def _below(self, id: int) -> int | None:
        if id == UNSENT:
            return None
        return UNSENT if id >= self._history.last_id else self._place(id + 1)

    def _above(self, id: int) -> int | None:
        history = self._history
        if id < history.first_id:
            return None
        if id == UNSENT:
            return self._place(history.last_id)
        return self._place((history.gap(id).first if history.is_missing(id) else id) - 1)
