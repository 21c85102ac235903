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

    def of(self, room: Room) -> list[str]:
        """Return who may be meant in ``room``: who spoke last comes first, then who is there as far as it is known."""
        names = {fold(name): name for name in (*room.speakers(), *sorted(room.present.names))}
        names.pop(fold(self._talk.conversation.user), None)
        return list(names.values())

    def ask(self, room: Room, told: Callable[[], None], *, found: bool) -> None:
        """Call ``told`` once it is known who is in ``room``, unless it was or cannot be, or somebody was ``found``."""
        if room.present.lacks(found=found):
            room.present.ask()
            self._ask(room, told)

    def _ask(self, room: Room, told: Callable[[], None]) -> None:
        present = room.present  # of this connection

        def answered(names: list[str]) -> None:
            present.answer(names)
            told()

        def failed(failure: Failure) -> None:
            failure.trap(*UNANSWERED)
            present.fail()

        self._talk.client.who(room.name).addCallbacks(answered, failed).addErrback(self._talk.failed)
