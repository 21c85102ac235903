"""Who is in a room."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

MOST: Final = 10_000  # people of one room who are remembered: more than anybody goes through


class Present:
    """The ``names`` of those who are in a room, as far as they are known.

    What the server answers and what it tells of comings and goings are applied as sets: they may come in any order.
    """

    def __init__(self) -> None:
        self.names: set[str] = set()
        self._answered = False
        self._others = False  # came or went since the question, and nobody said who
        self._since: dict[str, bool] | None = None  # who came, or went, since the question that is not answered yet

    def lacks(self, *, found: bool) -> bool:
        """Return whether to ask who is there: once and, where others may be there now, for who is not ``found``."""
        return self._since is None and (not self._answered or (self._others and not found))

    def ask(self) -> None:
        """It is asked."""
        self._since = {}
        self._others = False

    def answer(self, names: Iterable[str]) -> None:
        """These were there."""
        since, self._since = self._since or {}, None
        self.names = set(islice(names, MOST))
        self._answered = True
        for name, came in since.items():
            self._move(name, came)

    def fail(self) -> None:
        """There is no answer."""
        self._since = None

    def come_and_go(self, joined: Iterable[str], left: Iterable[str]) -> None:
        """Some came and went; in a large room nobody says who."""
        moves = [*((name, True) for name in joined), *((name, False) for name in left)]
        self._others = self._others or not moves
        for name, came in moves:
            self._move(name, came)
            if self._since is not None and len(self._since) < MOST:
                self._since[name] = came

    def _move(self, name: str, came: bool) -> None:
        if not came:
            self.names.discard(name)
        elif len(self.names) < MOST:
            self.names.add(name)
