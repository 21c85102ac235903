"""Messages that were sent and are not known to be stored yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.python.failure import Failure

from cli.kept import Kept
from cli.refusals import SendRefused
from wire.frames import BadFrame, Frame, Send

Say = Callable[[Frame, bytes], None]


class Sending:
    """One message on its way; ``stored`` fires with its id, or None where only that it arrived is known.

    ``entry`` is its place in the outbox on disk, and grows from one to the next.
    """

    __slots__ = ("body", "entry", "room", "stored")

    repeatable = True  # whether it can be said again as it is on another connection

    def __init__(self, room: str, body: bytes, entry: int) -> None:
        self.room: Final = room
        self.body: Final = body
        self.entry: Final = entry
        self.stored: Deferred[int | None] = Deferred()

    def frame(self, seq: int) -> Send:
        """Return the `send` that says it."""
        return Send(seq=seq, room=self.room)


class Outbox:
    """What is to be sent, in order, and what was said of it.

    A message gets its number when it is said. After a lost connection the server tells how far it had received: what
    that covers is done, the rest is said again with the numbers that follow. What is not repeatable is given back
    instead: its ``stored`` errbacks ``ConnectionLost``.
    """

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._waiting: deque[Sending] = deque()
        self._said: dict[int, Sending] = {}
        self._seq = 0  # the number last used

    def __len__(self) -> int:
        return len(self._waiting) + len(self._said)

    @property
    def waiting(self) -> bool:
        """Whether there is something to say."""
        return bool(self._waiting)

    def put(self, sending: Sending) -> None:
        """Send it after all that was put before."""
        self._waiting.append(sending)

    def restore(self, sending: Sending, number: int | None) -> None:
        """Put what an earlier run of the program left, in its order; ``number`` is the one it was said with, if any."""
        if number is None:
            self._waiting.append(sending)
        else:
            self._said[number] = sending

    def withdraw(self, sending: Sending) -> None:
        """Do not say it, if it was not said yet."""
        if sending in self._waiting:
            self._waiting.remove(sending)
            self._finish(sending)

    def open(self, received: int) -> None:
        """Logged in: the server has what bears a number up to ``received``, the rest is to be said again."""
        said, self._said = self._said, {}
        self._seq = received
        left = []
        for seq, sending in sorted(said.items()):
            if seq <= received:
                self._finish(sending)
                sending.stored.callback(None)
            else:
                self._kept.place(sending.entry, None)
                left.append(sending)
        left += self._waiting
        left.sort(key=lambda sending: sending.entry)  # a run may have died while it took numbers back
        self._waiting = deque(sending for sending in left if sending.repeatable)
        for sending in left:
            if not sending.repeatable:
                sending.stored.errback(Failure(ConnectionLost("it may not have arrived")))

    def say_next(self, say: Say) -> None:
        """Say what is next."""
        sending = self._waiting.popleft()
        self._seq += 1
        self._said[self._seq] = sending
        self._kept.place(sending.entry, self._seq)  # before it can arrive
        say(sending.frame(self._seq), sending.body)

    def stored(self, seq: int, id: int) -> None:
        """The server has number ``seq`` and gave it an ``id``; raises :class:`BadFrame` if it was never sent."""
        self._settle(seq).stored.callback(id)

    def refused(self, seq: int, code: str, text: str) -> None:
        """The server will not have number ``seq``; raises :class:`BadFrame` if it was never sent."""
        if code == "bad_seq":  # it does not count: the two ends differ, and a new login puts that right
            raise BadFrame(f"the server lost count of what was sent: {text}")
        self._settle(seq).stored.errback(SendRefused(code, text))

    def abandon(self, why: Exception) -> None:
        """The client ends: nobody will send what is left."""
        left = [*self._said.values(), *self._waiting]
        self._said.clear()
        self._waiting.clear()
        for sending in left:
            sending.stored.errback(Failure(why))

    def _settle(self, seq: int) -> Sending:
        if seq not in self._said:
            raise BadFrame(f"the server answers number {seq}, which was not sent")
        sending = self._said.pop(seq)
        self._finish(sending)
        return sending

    def _finish(self, sending: Sending) -> None:
        if sending.repeatable:  # of the others, whoever put them knows whether that was the end
            self._kept.done(sending.entry)
