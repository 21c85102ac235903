"""Searches: a room is looked through from its newest message down, a slice at a time.

One slice is read at once, whoever asks, and those who search take turns; so a search of a huge room holds up nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from msgspec import UNSET, UnsetType
from twisted.internet.defer import CancelledError, Deferred, DeferredLock, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from server.log import Segment
from server.outlet import Outlet
from server.questions import Asked, HistoryAnswer, Questions
from server.room import Room
from wire.frames import MAX_PAGE, Done, Search, encode
from wire.names import fold

SLICE: Final = 0.1  # seconds that one slice should take at most, a fourth at least: others who search wait for it
FIRST: Final = 16  # messages of a first slice: a second, if many words are searched in the largest that there are
SOON: Final = 0.1  # seconds of looking after which what was found is told
LONG: Final = 2.0  # seconds of looking after which it is told that nothing was

Look = Callable[[int, Sequence[str], int, int, int], "Deferred[list[int]]"]
Read = Callable[[Room, int, Sequence[int]], "Deferred[dict[int, bytes]]"]


class Searches:
    """All searches of a server. ``look`` is the storage's search, in a reading thread.

    ``read(room, ref, ids)`` gets messages that are still there, encoded for the question ``ref``.
    """

    def __init__(self, look: Look, read: Read, clock: IReactorTime) -> None:
        self.look = look
        self.read = read
        self.clock = clock
        self.turn = DeferredLock()

    def answer(self, questions: Questions, asked: Asked, room: Room, search: Search) -> SearchAnswer:
        """Return what answers ``search``."""
        words = sorted(set(fold(search.query).split()), key=len, reverse=True)  # what is long is rare
        last = room.stored if isinstance(search.before, UnsetType) else min(search.before - 1, room.stored)
        limit = min(search.limit, MAX_PAGE)
        first = room.first_id if words and limit else last + 1
        return SearchAnswer(self, questions, asked, room, words, first, last, limit)


class SearchAnswer(HistoryAnswer):
    """The newest ``limit`` hits among the messages ``first`` … ``last`` of a room: looked for, then given by number.

    It ends early once something is found, or where that takes long: ``done`` tells from where to ask on.
    """

    def __init__(
        self,
        searches: Searches,
        questions: Questions,
        asked: Asked,
        room: Room,
        words: Sequence[str],
        first: int,
        last: int,
        limit: int,
    ) -> None:
        super().__init__(questions, asked, room, 1, 0, self._read_some)
        self._searches = searches
        self._words = words
        self._lowest = first
        self._below = last + 1  # all from here on has been looked at
        self._limit = limit
        self._hits: list[int] = []  # the newest first
        self._span = FIRST
        self._took = 0.0  # seconds of looking; to wait for a turn costs nobody anything
        self._turn: Deferred[None] = succeed(None)

    def give(self, outlet: Outlet) -> bool:
        """See :class:`Reading`."""
        if self._is_looking:
            self._turn = self._searches.turn.acquire().addCallbacks(self._look, _cancelled)
            return False
        self._last = len(self._hits)
        return super().give(outlet)

    def cancel(self) -> Deferred[None]:
        """See :class:`Reading`."""
        self._turn.cancel()
        return super().cancel()

    @property
    def _is_looking(self) -> bool:
        left = self._below > self._lowest and len(self._hits) < self._limit
        return left and self._took < (SOON if self._hits else LONG)

    def _look(self, turn: DeferredLock) -> None:
        """Look through the next slice."""
        last = self._below - 1
        self._below = max(self._lowest, self._below - self._span)
        left = self._limit - len(self._hits)
        look = self._searches.look(self._room.key, self._words, self._below, last, left)
        began = self._searches.clock.seconds()

        def looked(result: Any) -> Any:
            turn.release()
            took = self._searches.clock.seconds() - began
            self._took += took
            if took < SLICE / 4:
                self._span *= 4
            elif took > SLICE:
                self._span = max(1, int(self._span * SLICE / took))
            return result

        self._read(look.addBoth(looked), self._found)

    def _found(self, hits: list[int]) -> None:
        self._hits += hits
        if len(self._hits) == self._limit:
            self._below = hits[-1]  # what is older was not looked for

    def _read_some(self, first: int, last: int) -> Deferred[Segment | None]:
        ids = self._hits[::-1][first - 1 : last]
        # One that was deleted meanwhile leaves its number to nothing.
        return self._searches.read(self._room, self._asked.ref, ids).addCallback(
            lambda hits: Segment(first, [hits.get(id, b"") for id in ids])
        )

    def _end(self, last: bytes = b"") -> bool:
        before = self._below if self._below > self._lowest else UNSET
        self._questions.answered(self._asked, last + encode(Done(self._asked.ref, before)))
        return False


def _cancelled(failure: Failure) -> None:
    failure.trap(CancelledError)
