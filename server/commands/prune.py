"""``prune``: old messages and their contents go, while servers run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from time import monotonic, sleep, time
from typing import Any, ClassVar, Final, TypeVar

from twisted.python.usage import UsageError

from server.commands.command import OnDatabase, progress
from storage.access import existing
from storage.interface import Room, StorageDown
from storage.pruning import Pruning
from storage.sql import Storage

REST: Final = 3.0  # times as long as a step took; a server's commit gets its turn in it
PATIENCE: Final = 60.0  # seconds that one step is tried again
T = TypeVar("T")
_SECONDS: Final = {"h": 3600, "d": 86_400, "w": 7 * 86_400}
_AGE: Final = re.compile(r"([0-9]{1,6})([hdw])", re.ASCII)


def _age(text: str) -> int:
    if not (parts := _AGE.fullmatch(text)):
        raise ValueError(f"{text!r} is not an age like 90d, 12h or 4w")
    return int(parts[1]) * _SECONDS[parts[2]]


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise ValueError(f"{text!r} is not a number of messages")
    return int(text)


class Prune(OnDatabase):
    """Moves the beginning of each room, of which servers hear, then removes what lies before it, little by little."""

    synopsis: ClassVar[str] = "--older-than AGE | --keep COUNT [options]"
    longdesc = "What was cut off goes on with the next one. A database file keeps its size: what is free is used again."
    optParameters: ClassVar[list[list[Any]]] = [
        ["older-than", None, None, "Remove what is older, e.g. 90d, 12h or 4w.", _age],
        ["keep", None, None, "Of each room keep only so many messages, the newest ones.", _count],
    ]

    def postOptions(self) -> None:
        """See that exactly one of the two is given."""
        if (self["older-than"] is None) == (self["keep"] is None):
            raise UsageError("say either --older-than AGE or --keep COUNT")

    def run(self) -> int:
        """Prune."""
        with existing(self.db) as engine, closing(Storage(self.db)) as storage:
            pruning = Pruning(engine)
            begins = {room: self._first(pruning, room) for room in storage.rooms(talks=True)}
            for room, first_id in begins.items():
                persistently(partial(pruning.move, room, first_id))
            with progress(sum(pruning.below(*begin) for begin in begins.items()), " messages") as bar:
                for room, first_id in begins.items():
                    self._empty(pruning, room, first_id, bar)
                for _ in gently(lambda: storage.clean(0)):
                    pass
        return 0

    def _first(self, pruning: Pruning, room: Room) -> int:
        if self["keep"] is not None:
            return pruning.first_of_newest(room, self["keep"])
        return pruning.first_since(room, int((time() - self["older-than"]) * 1000))

    def _empty(self, pruning: Pruning, room: Room, first_id: int, bar: Any) -> None:
        removed = 0
        for some in gently(partial(pruning.remove, room)):
            removed += some
            bar.update(some)
        if removed:
            bar.write(f"{room.name}: {removed} messages removed; it begins with {first_id} now")


def gently(step: Callable[[], int]) -> Iterator[int]:
    """Yield what each ``step`` did, until one has nothing left to do; between them others get at the database."""
    while True:
        began = monotonic()
        if not (done := persistently(step)):
            return
        took = monotonic() - began
        yield done
        sleep(REST * took)


def persistently(step: Callable[[], T]) -> T:
    """Return what ``step`` returns; what passes, such as two that wait for each other, is tried again."""
    give_up_at = monotonic() + PATIENCE
    while True:
        try:
            return step()
        except StorageDown:
            if monotonic() > give_up_at:
                raise
            sleep(1)
