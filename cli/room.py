"""Where a client stands in a room."""

from __future__ import annotations

from typing import Final

from twisted.internet.defer import Deferred

from wire.frames import MAX_PAGE

HISTORY: Final = 100  # messages that a server gives of itself, most likely


class Room:
    """A cursor in a room: ``expected`` is the id of the next message for the inbox, None for whatever comes first.

    In a ``quiet`` one we only are to send there.
    """

    def __init__(self, name: str, after: int | None, history: int | None, quiet: bool = False) -> None:
        self.name = name
        self.quiet = quiet
        self.begin(after, history)
        self.opened = False
        self.last_id = 0  # the newest known of
        self.passed = 0  # the newest that came and could not be taken
        self.joins: list[Deferred[None]] = []
        self.leaves: list[Deferred[None]] = []

    def begin(self, after: int | None, history: int | None) -> None:
        """Want what is behind the id ``after`` or, where that is None, so many messages of what was before.

        None of them stands for as many as the server thinks right.
        """
        self.expected = None if after is None else after + 1
        self.history = history

    @property
    def after(self) -> int | None:
        """The last id that is not needed any more, None for none."""
        if self.expected is not None:
            return self.expected - 1
        # Nothing came since the room was opened: all that comes now is wanted, and the history once more.
        return max(0, self.last_id - HISTORY) if self.opened else None

    @property
    def missing(self) -> int:
        """How many messages are known of that have not come."""
        return 0 if self.expected is None or self.quiet else max(0, self.last_id + 1 - self.expected)

    @property
    def gap(self) -> bool:
        """Whether messages went by that will not come by themselves again."""
        return self.expected is not None and self.expected <= self.passed

    def open(self, name: str, first_id: int, last_id: int) -> None:
        """The server keeps ``first_id`` … ``last_id`` of the room and goes on from the cursor."""
        if self.expected is not None and self.expected > last_id + 1:
            self.expected = None  # the server was restored from a copy
        if self.expected is not None:
            self.expected = max(self.expected, first_id)
        elif self.history is not None or first_id > last_id:
            self.expected = max(first_id, last_id + 1 - min(self.history or 0, MAX_PAGE))
        self.name = name
        self.opened = True
        self.last_id = last_id

    def start_anew(self) -> None:
        """Forget where we were."""
        self.expected = None
        self.opened = False
