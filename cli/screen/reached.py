"""How far a room was read."""

from __future__ import annotations

from typing import Final

MENTIONS: Final = 1000  # that are counted; nobody reads more
SKIPPED: Final = 10_000  # messages that are; who says more of what nobody wants to hear counts, at 0.7 MB for a room


class Reached:
    """How far a room was read: ``read_id`` is the last message that was, None while the room is new to us.

    The bar stands behind ``bar_id``, where unread began when the room was entered, until it is left.
    """

    def __init__(self) -> None:
        self.read_id: int | None = None
        self.bar_id: int | None = None
        self._mentions: set[int] = set()  # beyond read_id
        self._skipped: set[int] = set()  # likewise, that do not count

    @property
    def mentions(self) -> int:
        """How many mentions, as far as they are known, were not read."""
        return len(self._mentions)

    def read(self, id: int | None) -> None:
        """All up to ``id`` was read; None where the room is new to us."""
        self.read_id = id
        self._mentions.clear()
        self._skipped.clear()

    def count(self, id: int, *, news: bool, mention: bool) -> None:
        """The unread message ``id`` is ``news``, or else does not count; of news it may be a ``mention``."""
        for ids, among, most in ((self._skipped, not news, SKIPPED), (self._mentions, mention, MENTIONS)):
            if not among:
                ids.discard(id)
            elif len(ids) < most:
                ids.add(id)

    def prune(self, first_id: int) -> None:
        """There is no message before ``first_id``."""
        for ids in (self._skipped, self._mentions):
            ids.difference_update([id for id in ids if id < first_id])

    def is_unread(self, id: int) -> bool:
        """Whether the message ``id`` was not read."""
        return id > (self.read_id or 0)

    def unread(self, first_id: int, last_id: int) -> int:
        """Return how many of the messages ``first_id`` to ``last_id`` were not read."""
        return max(0, last_id - max(self.read_id or 0, first_id - 1) - len(self._skipped))

    def open(self, last_id: int) -> None:
        """The room begins, or begins anew, with messages up to ``last_id``."""
        self.read(last_id if self.read_id is None else min(self.read_id, last_id))
        self.bar_id = None

    def set_bar(self, last_id: int) -> None:
        """Somebody comes to look: unread, if there are any news up to ``last_id``, begins here."""
        before = self.read_id or 0
        while before + 1 in self._skipped:
            before += 1
        self.bar_id = before if self.read_id is not None and before < last_id else None
