"""A talk of two as each of them has it: a room of one's own, which bears the other's name.

Both are of one stored room, one log with one numbering. What comes into it each of them reads, and encodes under its
own name, so that nothing else need know of talks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass

from server.pages import Pages
from server.room import Room
from storage.interface import Open
from storage.interface import Room as StoredRoom
from storage.talks import Talk
from wire.names import fold


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody wants to be: a room by its name, or a ``talk`` as ``user`` (folded), one of the two, has it."""

    name: str
    talk: Talk | None = None
    user: str = ""

    @property
    def key(self) -> str:
        """What tells it from all others."""
        return fold(self.name) if self.talk is None else f"{self.talk.name} {self.user}"

    def opening(self, by: str | None) -> Open:
        """Return what is to be asked of the storage; who makes it is the account ``by`` (folded)."""
        return Open(self.name, by) if self.talk is None else Open(self.talk.name, None, self.talk)


class Side(Room):
    """A talk at a ``place``; ``sides`` gets all of it that are open here, of which this is to be one."""

    def __init__(
        self,
        found: StoredRoom,
        place: Place,
        pages: Pages,
        elsewhere: Counter[str],
        sides: Callable[[], Sequence[Room]],
    ) -> None:
        super().__init__(found.key, place.name, found.first_id, found.last_id, pages, elsewhere)
        self.talk = place.talk
        self.place = place.key
        self._sides = sides

    @property
    def users(self) -> Set[str]:
        """Who is in it, on whichever side and server."""
        return self._elsewhere.keys() | {user for side in self._sides() for user in side.here}

    def will_change(self) -> None:
        """Who is in it is about to change, for both."""
        for side in self._sides():
            Room.will_change(side)

    def publish(self, first_id: int, messages: Sequence[bytes]) -> bool:  # noqa: ARG002
        """Have them read: they are not encoded in this name."""
        return False
