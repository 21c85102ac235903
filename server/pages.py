"""What has left memory, read back: pages of a room's log, begun at fixed ids, shared by all who read there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.defer import Deferred

from server.log import SEGMENT, Segment
from server.shelf import Shelf

STEP: Final = 64  # messages: one of each so many may be a page's first, and a page has at least so many
BOUND: Final = 8 * 1024 * 1024  # bytes of all pages kept: two of the largest messages, hundreds of usual ones

Read = Callable[[str, int], "Deferred[Segment]"]


class Pages:
    """The pages of all rooms; ``read(place, first)`` gets one of the room there, encoded: see :func:`read_page`."""

    def __init__(self, read: Read) -> None:
        self._shelf: Shelf[tuple[str, int], Segment] = Shelf(
            lambda place: read(*place), lambda page: len(page.data), BOUND
        )

    @property
    def size(self) -> int:
        """Bytes that are kept."""
        return self._shelf.size

    def cached(self, room: str, id: int) -> Segment | None:
        """Return the page that has message ``id`` of the room, if it is here."""
        page = self._shelf.get(_place(room, id))
        return None if page is None or page.last_id < id else page  # the last page may have been read when shorter

    def load(self, room: str, id: int) -> Deferred[Segment]:
        """Read the page that has message ``id``; asked many times at once it is read once."""
        return self._shelf.load(_place(room, id))

    def forget(self, room: str) -> None:
        """Drop the pages of a room: something in them has changed."""
        self._shelf.forget(lambda place: place[0] == room)


def _place(room: str, id: int) -> tuple[str, int]:
    return room, id - (id - 1) % STEP


def read_page(read: Callable[[int, int], tuple[int, list[bytes]]], first: int) -> Segment | None:
    """Return the page that begins at the id ``first``: as many messages as one write takes; None where there is none.

    ``read(first, last)`` gets encoded messages and the first one's id.
    """
    first_id, messages = read(first, first + STEP - 1)
    if not messages:
        return None
    if first_id + len(messages) == first + STEP:  # the log goes on
        size = sum(map(len, messages))
        if more := max(0, (SEGMENT - size) * len(messages) // size):
            next_id, others = read(first + STEP, first + STEP + more - 1)
            if next_id == first + STEP:  # not so where they were pruned meanwhile
                messages += others
    return Segment(first_id, messages)
