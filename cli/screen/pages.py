"""Messages that one wants to see, fetched from the server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from cli.client import Client
from cli.inbox import Message
from cli.refusals import UNANSWERED, AskRefused, why
from cli.screen.conversation import Conversation
from cli.screen.history import Span
from cli.screen.room import Room
from cli.status import State

PAUSE: Final = 5.0  # seconds until a page that was refused is asked for again


class Pages:
    """Asks ``client`` for what the rooms of ``conversation`` want, one page at a time for each room.

    ``changed`` is called when something came of it, ``failed`` with what should not have happened.
    """

    def __init__(
        self,
        clock: Any,
        client: Client,
        conversation: Conversation,
        changed: Callable[[], None],
        failed: Callable[[Failure], None],
    ) -> None:
        self._clock = clock
        self._client = client
        self._conversation = conversation
        self._changed = changed
        self._failed = failed
        self._asked: set[Room] = set()  # and not answered, or refused a short time ago

    def fetch(self) -> None:
        """Ask for what is missing."""
        status = self._conversation.status
        live = status is not None and status.state in (State.LIVE, State.BEHIND)
        for room in self._conversation.rooms:
            if room not in self._asked:
                room.absence = "loading" if live else "not loaded, offline"
                if live and (wanted := room.wanted()) is not None:
                    self._ask(room, wanted)

    def _ask(self, room: Room, wanted: Span) -> None:
        def loaded(messages: list[Message]) -> None:
            self._asked.discard(room)
            room.load(wanted, messages)
            self._changed()

        def refused(failure: Failure) -> None:
            if failure.trap(*UNANSWERED) is AskRefused:
                room.absence = f"not loaded, {why(failure.value)}"
                self._clock.callLater(PAUSE, again)
            else:
                self._asked.discard(room)
            self._changed()

        def again() -> None:
            self._asked.discard(room)
            self._changed()

        self._asked.add(room)
        asked: Deferred[Any] = self._client.history(room.name, wanted.last - wanted.first + 1, wanted.last + 1)
        asked.addCallbacks(loaded, refused).addErrback(self._failed)
