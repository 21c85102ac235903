"""Messages that were sent and are not known to be stored yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.python.failure import Failure
from zope.interface import implementer

from cli.refusals import SendRefused
from wire.frames import BadFrame, Frame, Quit, Send

Say = Callable[[Frame, bytes], None]


class Sending:
    """One message on its way; ``stored`` fires with its id, or None where only that it arrived is known."""

    __slots__ = ("body", "room", "stored")

    def __init__(self, room: str, body: bytes) -> None:
        self.room: Final = room
        self.body: Final = body
        self.stored: Deferred[int | None] = Deferred()


@implementer(IPushProducer)
class Outbox:
    """What is to be sent, in order, and what was said of it; it produces `send` frames as fast as they are taken.

    A message gets its number when it is said. After a lost connection the server tells how far it had received: what
    that covers is done, the rest is said again with the numbers that follow.
    """

    def __init__(self) -> None:
        self._waiting: deque[Sending] = deque()
        self._said: dict[int, Sending] = {}
        self._seq = 0  # the number last used
        self._say: Say | None = None
        self._quit = False
        self.paused = False

    def __len__(self) -> int:
        return len(self._waiting) + len(self._said)

    def put(self, sending: Sending) -> None:
        """Send it after all that was put before."""
        self._waiting.append(sending)
        self._produce()

    def open(self, received: int, say: Say) -> None:
        """Logged in: the server has what bears a number up to ``received``, the rest goes out by ``say``."""
        arrived = [seq for seq in self._said if seq <= received]
        for seq in arrived:
            self._said.pop(seq).stored.callback(None)
        self._waiting.extendleft(reversed(self._said.values()))
        self._said.clear()
        self._seq = received
        self._say = say
        self._produce()

    def close(self) -> None:
        """The connection is gone; what is here waits for the next one."""
        self._say = None
        self.paused = False

    def quit(self) -> None:
        """Say `quit` as soon as everything was said."""
        self._quit = True
        self._produce()

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
        return self._said.pop(seq)

    def _produce(self) -> None:
        while self._say is not None and self._waiting and not self.paused:
            sending = self._waiting.popleft()
            self._seq += 1
            self._said[self._seq] = sending
            self._say(Send(seq=self._seq, room=sending.room), sending.body)
        if self._quit and self._say is not None and not self._waiting:
            self._quit = False
            self._say(Quit(), b"")

    def pauseProducing(self) -> None:
        """The transport holds enough."""
        self.paused = True

    def resumeProducing(self) -> None:
        """The transport takes more."""
        self.paused = False
        self._produce()

    def stopProducing(self) -> None:
        """The transport takes no more."""
        self.close()
