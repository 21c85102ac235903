"""Following the other servers on the same database: what they store, who is there, and which of them live.

A look every few tens of milliseconds reads a row for each server. Only where one of them has written something are the
rooms looked at that are open here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from server.journal import InThread
from storage.changes import Here
from storage.interface import Beat, INeighbours, Neighbour, StorageDown
from storage.neighbours import DEAD, OVER

if TYPE_CHECKING:
    from server.server import Server

TOGETHER: Final = 0.03  # seconds between two looks where there are other servers
ALONE: Final = 0.25  # likewise, where there are none yet
COMMANDS: Final = 1.0  # likewise, where there cannot be any: only commands write beside us
AWAY: Final = 0.5  # likewise, where the database could not be asked
TELL: Final = 0.2  # seconds for which comings and goings are gathered before the others are told
BEAT: Final = 1.0  # seconds between two signs of life
FRESH: Final = 2  # seconds for which a server that lives may have been silent
CUT_OFF: Final = OVER / 2  # seconds without a look, after which something may have been told and removed since


class Following:
    """Looks at ``neighbours`` for ``server``, and shows them that it lives; ``shared`` says if they may be servers."""

    _log = Logger()

    def __init__(
        self,
        server: Server,
        neighbours: INeighbours,
        shared: bool,
        in_writer: InThread,
        in_reader: InThread,
        clock: IReactorTime,
    ) -> None:
        self._server = server
        self._neighbours = neighbours
        self._shared = shared
        self._in_writer = in_writer
        self._in_reader = in_reader
        self._clock = clock
        self._seen: tuple[dict[int, int], int] | None = None  # the last batch of each process, and the rooms opened
        self._heard: dict[int, int] | None = None  # the last change of each process; None before the first look
        self._looked_at = 0.0
        self._rounds_at = self._told_at = 0.0
        self._trimmed_at = 0.0
        self._told = 0  # our last change at that time
        self._unlike: set[int] = set()  # servers of another --auth, of which the operator was told
        self._stopped = False

    def start(self) -> None:
        """Begin."""
        Deferred.fromCoroutine(self._follow()).addErrback(lambda failure: self._log.failure("following", failure))

    def stop(self) -> None:
        """Look no more."""
        self._stopped = True

    async def _follow(self) -> None:
        while not self._stopped:
            pause = AWAY
            try:
                await self._look()
                pause = self._interval
            except StorageDown:
                pass  # the journal tells of it
            except Exception:
                self._log.failure("following the other servers")
            await deferLater(self._clock, pause)

    @property
    def _interval(self) -> float:
        if not self._shared:
            return COMMANDS
        return TOGETHER if self._heard else ALONE

    async def _look(self) -> None:
        now = self._clock.seconds()
        found: list[Neighbour] = await self._in_reader(self._neighbours.all)
        others = {process.id: process for process in found if process.id != self._neighbours.own}
        if self._heard is None or now - self._looked_at > CUT_OFF:
            await self._begin(others)
        await self._read_rooms({process.id: process.batch for process in others.values()})
        for process in others.values():
            await self._hear(process)
        self._server.rooms.elsewhere.forget_others(id for id, process in others.items() if process.here)
        self._heard = {id: heard for id, heard in (self._heard or {}).items() if id in others}
        self._looked_at = now
        if now - self._told_at >= TELL:
            self._told_at = now
            for room in self._server.rooms.all():
                self._server.tell_others(room)
        if now - self._rounds_at >= BEAT:
            self._rounds_at = now
            await self._make_rounds(found)

    async def _begin(self, others: dict[int, Neighbour]) -> None:
        """Learn how everything is; what is told from now on changes that."""
        self._server.rooms.found_all(await self._server.stored.rooms())
        self._server.rules.reread()
        for process in others.values():
            await self._meet(process)
        self._heard = {id: process.last_change for id, process in others.items()}

    async def _meet(self, process: Neighbour) -> None:
        self._server.rooms.elsewhere.put(process.id, await self._in_reader(self._neighbours.present, process.id))

    async def _read_rooms(self, batches: dict[int, int]) -> None:
        """Get what was stored since the last look into the rooms that are open here."""
        seen = batches, self._server.rooms.opened
        if seen != self._seen:
            rooms = [room.key for room in self._server.rooms.all()]
            for key, first_id, last_id in await self._in_reader(self._neighbours.spans, rooms):
                self._server.rooms.found(key, first_id, last_id)
            self._seen = seen

    async def _hear(self, process: Neighbour) -> None:
        """Carry out what a process told since the last look."""
        assert self._heard is not None
        heard = self._heard.setdefault(process.id, 0)
        while heard < process.last_change:
            told = await self._in_reader(self._neighbours.changes, process.id, heard)
            if not told or told[0][0] != heard + 1:  # what is missing was told long ago, and removed
                await self._meet(process)
                heard = told[0][0] - 1 if told else process.last_change
            for seq, change in told:
                if isinstance(change, Here):
                    await self._meet(process)
                else:
                    self._server.hear(process.id, change)
                heard = seq
            self._heard[process.id] = heard

    async def _make_rounds(self, found: list[Neighbour]) -> None:
        """Live, notice if we were taken for dead, and forget who is."""
        for process in found:
            if process.id == self._neighbours.own:
                await self._look_after_ourselves(process)
            elif process.silent_for > OVER or (process.here and process.silent_for > DEAD):
                await self._in_writer(self._neighbours.forget, process.id)
        self._compare([process for process in found if process.here and process.silent_for < FRESH])
        if self._shared and not self._server.journal.busy:
            self._server.journal.put(Beat(), lambda _: None)

    def _compare(self, servers: Iterable[Neighbour]) -> None:
        """Tell the operator of servers that let in whom this one would not, or the other way round: once of each."""
        ours = self._server.accounts.auth
        unlike = {server.id: server.auth for server in servers if server.auth not in (None, ours)}
        for id in unlike.keys() - self._unlike:
            self._log.error(
                "another server of this chat has --auth {theirs}, this one {ours}", theirs=unlike[id], ours=ours.value
            )
        self._unlike |= unlike.keys()

    async def _look_after_ourselves(self, own: Neighbour) -> None:
        if not own.here:
            self._server.put_back()
        if self._looked_at - self._trimmed_at > CUT_OFF:
            await self._in_writer(self._neighbours.trim, self._told)
            self._trimmed_at, self._told = self._looked_at, own.last_change
