"""What has left memory, read back: pages of a room's log, cut at fixed ids, shared by all who read there.

A thousand clients that come back at the same place cost one reading.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from server.log import Segment

PAGE: Final = 64  # messages
BOUND: Final = 8 * 1024 * 1024  # bytes of all pages kept: two of the largest messages, hundreds of usual ones

Read = Callable[[int, int, int], "Deferred[Segment]"]


class Pages:
    """A small cache of pages; ``read(room's key, first, last)`` gets one from the storage, encoded."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._kept: OrderedDict[tuple[int, int], Segment] = OrderedDict()
        self._asked: dict[tuple[int, int], list[Deferred[Segment]]] = {}
        self.size = 0  # bytes

    def cached(self, room: int, id: int) -> Segment | None:
        """Return the page that has message ``id`` of the room, if it is here."""
        place = (room, (id - 1) // PAGE)
        page = self._kept.get(place)
        if page is None or page.last_id < id:  # the room's last page was read when it was shorter
            return None
        self._kept.move_to_end(place)
        return page

    def load(self, room: int, id: int) -> Deferred[Segment]:
        """Read the page that has message ``id``; asked many times at once it is read once."""
        place = (room, (id - 1) // PAGE)
        answer: Deferred[Segment] = Deferred()
        asked = self._asked.setdefault(place, [])
        asked.append(answer)
        if len(asked) == 1:
            first = place[1] * PAGE + 1
            self._read(room, first, first + PAGE - 1).addBoth(self._loaded, place)
        return answer

    def forget(self, room: int) -> None:
        """Drop the pages of a room: something in them has changed."""
        for place in [place for place in self._kept if place[0] == room]:
            self._drop(place)

    def _loaded(self, result: Segment | Failure, place: tuple[int, int]) -> None:
        if isinstance(result, Segment):
            self._keep(place, result)
        for answer in self._asked.pop(place):
            answer.callback(result)

    def _keep(self, place: tuple[int, int], page: Segment) -> None:
        if place in self._kept:
            self._drop(place)
        self._kept[place] = page
        self.size += len(page.data)
        while self.size > BOUND and len(self._kept) > 1:
            self._drop(next(iter(self._kept)))

    def _drop(self, place: tuple[int, int]) -> None:
        self.size -= len(self._kept.pop(place).data)
