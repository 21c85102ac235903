"""What has left memory, read back: pages of a room's log, cut at fixed ids, shared by all who read there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.defer import Deferred

from server.log import Segment
from server.shelf import Shelf

PAGE: Final = 64  # messages
BOUND: Final = 8 * 1024 * 1024  # bytes of all pages kept: two of the largest messages, hundreds of usual ones

Read = Callable[[int, int, int], "Deferred[Segment]"]


class Pages:
    """The pages of all rooms; ``read(room's key, first, last)`` gets one from the storage, encoded."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._shelf: Shelf[tuple[int, int], Segment] = Shelf(self._read_page, lambda page: len(page.data), BOUND)

    @property
    def size(self) -> int:
        """Bytes that are kept."""
        return self._shelf.size

    def cached(self, room: int, id: int) -> Segment | None:
        """Return the page that has message ``id`` of the room, if it is here."""
        page = self._shelf.get(_place(room, id))
        return None if page is None or page.last_id < id else page  # the last page may have been read when shorter

    def load(self, room: int, id: int) -> Deferred[Segment]:
        """Read the page that has message ``id``; asked many times at once it is read once."""
        return self._shelf.load(_place(room, id))

    def forget(self, room: int) -> None:
        """Drop the pages of a room: something in them has changed."""
        self._shelf.forget(lambda place: place[0] == room)

    def _read_page(self, place: tuple[int, int]) -> Deferred[Segment]:
        room, number = place
        return self._read(room, number * PAGE + 1, (number + 1) * PAGE)


def _place(room: int, id: int) -> tuple[int, int]:
    return room, (id - 1) // PAGE
