"""Who may be meant in a room."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.python.failure import Failure

from cli.refusals import UNANSWERED
from cli.screen.room import Room
from wire.names import fold

if TYPE_CHECKING:
    from cli.screen.talk import Talk


class People:
    """Asks the server who is in a room, where that is needed and not known."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._asked: set[Room] = set()

    def of(self, room: Room) -> list[str]:
        """Return who may be meant in ``room``: who spoke last comes first, then who is there as far as it is known."""
        names = {fold(name): name for name in (*room.speakers(), *sorted(room.people or ()))}
        names.pop(fold(self._talk.conversation.user), None)
        return list(names.values())

    def ask(self, room: Room, told: Callable[[], None]) -> None:
        """Call ``told`` once it is known who is in ``room``, unless it was or cannot be."""
        if room.people is None and room not in self._asked:
            self._asked.add(room)
            self._ask(room, told)

    def _ask(self, room: Room, told: Callable[[], None]) -> None:
        def answered(names: list[str]) -> None:
            self._asked.discard(room)
            room.people = set(names)
            told()

        def failed(failure: Failure) -> None:
            failure.trap(*UNANSWERED)
            self._asked.discard(room)

        self._talk.client.who(room.name).addCallbacks(answered, failed).addErrback(self._talk.failed)
