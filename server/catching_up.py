"""What other processes stored in the rooms that are open here, put into their logs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from server.room import Room
from storage.interface import StorageDown

STEP: Final = 64  # messages read at a time: 4 MiB of the largest
FAR: Final = 2000  # messages that a room may lack and get; who is behind reads more than that from the pages
LAGGING: Final = 0.5  # seconds until messages are looked for again that are not there yet, or could not be read

Read = Callable[[Room, int, int], "Deferred[tuple[int, list[bytes]]]"]


class CatchingUp:
    """``read(room, first, last)`` gets messages, encoded, with the id of the first one; ``grown`` is told of each room
    that has more; ``is_open`` says whether anybody may want it.
    """

    _log = Logger()

    def __init__(
        self, read: Read, grown: Callable[[Room], None], is_open: Callable[[Room], bool], clock: IReactorTime
    ) -> None:
        self._read = read
        self._grown = grown
        self._is_open = is_open
        self._clock = clock
        self._waiting: dict[Room, list[Deferred[None]]] = {}  # for more, of each room that is being caught up with

    def lacks(self, room: Room, last_id: int) -> None:
        """Messages of ``room`` up to ``last_id`` are stored: get those that it lacks."""
        room.stored = last_id
        if room.last_id < room.stored and room not in self._waiting:
            self._waiting[room] = []
            work = Deferred.fromCoroutine(self._catch_up(room))
            work.addErrback(lambda failure: self._log.failure("catching up with a room", failure))
            work.addBoth(lambda _: self._tell(self._waiting.pop(room)))

    def more(self, room: Room) -> Deferred[None]:
        """Return a Deferred that fires when ``room`` has more, or gets nothing more."""
        if room not in self._waiting:
            return succeed(None)
        more: Deferred[None] = Deferred()
        self._waiting[room].append(more)
        return more

    async def _catch_up(self, room: Room) -> None:
        while self._is_open(room) and room.last_id < room.stored:
            room.skip_to(max(room.first_id - 1, room.stored - FAR if room.stored - room.last_id > FAR else 0))
            try:
                first_id, messages = await self._read(room, room.last_id + 1, min(room.stored, room.last_id + STEP))
            except StorageDown:
                messages = []
            if messages:
                room.skip_to(first_id - 1)  # what was pruned meanwhile
                room.append(first_id, messages)
                self._grown(room)
                waiting, self._waiting[room] = self._waiting[room], []
                self._tell(waiting)
            elif room.last_id < room.stored:
                await deferLater(self._clock, LAGGING)

    def _tell(self, waiting: Sequence[Deferred[None]]) -> None:
        for more in waiting:
            more.callback(None)
