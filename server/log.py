"""The encoded messages of a room: segments that know where each message ends, and the tail made of them.

Pure: no transport, no storage, no reactor.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

# What one write takes at the most: Twisted hands no more than this to one `send` (FileDescriptor.SEND_LIMIT).
SEGMENT = 128 * 1024


class Segment:
    """Messages with the ids ``first_id`` … ``last_id``, encoded, back to back."""

    __slots__ = ("_ends", "data", "first_id")

    def __init__(self, first_id: int, messages: Sequence[bytes]) -> None:
        self.first_id = first_id
        self.data = b"".join(messages)
        self._ends = list(accumulate(map(len, messages)))

    @property
    def last_id(self) -> int:
        """The last message's id; ``first_id`` - 1 where there is none."""
        return self.first_id + len(self._ends) - 1

    def grown(self, messages: Sequence[bytes]) -> Segment:
        """Return a segment of this one's messages and these."""
        more = Segment.__new__(Segment)
        more.first_id = self.first_id
        more.data = self.data + b"".join(messages)
        more._ends = self._ends + list(accumulate(map(len, messages), initial=len(self.data)))[1:]
        return more

    def after(self, id: int) -> Piece:
        """Return what follows message ``id``: as many whole messages as one write takes, one at least.

        ``id`` is at least ``first_id`` - 1 and below ``last_id``.
        """
        done = id + 1 - self.first_id
        start = self._ends[done - 1] if done else 0
        count = max(bisect_right(self._ends, start + SEGMENT, done), done + 1)
        return Piece(self, start, self._ends[count - 1], self.first_id + count - 1)

    def within(self, position: int) -> tuple[int, memoryview]:
        """Return the id of the message in which ``position`` lies, or which ends there, and the rest of it."""
        index = bisect_left(self._ends, position)
        return self.first_id + index, memoryview(self.data)[position : self._ends[index]]


class Piece:
    """A stretch of whole messages of a segment, to be written; ``last_id`` is the last one's."""

    __slots__ = ("_segment", "_start", "data", "last_id")

    def __init__(self, segment: Segment, start: int, end: int, last_id: int) -> None:
        self._segment = segment
        self._start = start
        self.data = memoryview(segment.data)[start:end]
        self.last_id = last_id

    def cut(self, sent: int) -> tuple[int, memoryview]:
        """Return the id of the message in which the first ``sent`` (1 or more) bytes end, and the rest of it."""
        return self._segment.within(self._start + sent)


class Tail:
    """The newest messages of a room, as far back as memory reaches.

    Holds the ids ``first_id`` … ``last_id``, without a gap.
    """

    def __init__(self, last_id: int) -> None:
        self._segments: list[Segment] = []
        self.last_id = last_id
        self.size = 0  # bytes

    @property
    def first_id(self) -> int:
        """The oldest id held; ``last_id`` + 1 where nothing is."""
        return self._segments[0].first_id if self._segments else self.last_id + 1

    def append(self, messages: Sequence[bytes]) -> None:
        """Put messages at the end: the next ids, in their order."""
        for group in _groups(messages):
            length = sum(map(len, group))
            if self._segments and len(self._segments[-1].data) + length <= SEGMENT:
                self._segments[-1] = self._segments[-1].grown(group)
            else:
                self._segments.append(Segment(self.last_id + 1, group))
            self.last_id += len(group)
            self.size += length

    def after(self, id: int) -> Piece | None:
        """Return what follows message ``id``, or None where that has left memory; ``id`` is below ``last_id``."""
        if id + 1 < self.first_id:
            return None
        index = bisect_right(self._segments, id + 1, key=lambda segment: segment.first_id) - 1
        return self._segments[index].after(id)

    def trim(self, size: int) -> None:
        """Forget the oldest segments until no more than ``size`` bytes are held."""
        while self.size > size:
            self.size -= len(self._segments.pop(0).data)


def _groups(messages: Sequence[bytes]) -> list[Sequence[bytes]]:
    """Cut ``messages`` so that each part fits into a segment, or is one message."""
    if sum(map(len, messages)) <= SEGMENT:
        return [messages]
    groups: list[Sequence[bytes]] = []
    start = length = 0
    for index, message in enumerate(messages):
        if length + len(message) > SEGMENT and index > start:
            groups.append(messages[start:index])
            start, length = index, 0
        length += len(message)
    return [*groups, messages[start:]]
