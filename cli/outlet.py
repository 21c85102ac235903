"""What goes out on a client's connection, no faster than the transport takes it."""

from __future__ import annotations

from collections import deque

from twisted.internet.defer import Deferred, fail
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IPushProducer
from twisted.python.failure import Failure
from zope.interface import implementer

from cli.outbox import Outbox, Say
from wire.frames import Quit


@implementer(IPushProducer)
class Outlet:
    """Produces the messages of an outbox first; what time is left it gives to who asked for a turn, in their order.

    So a message waits behind no more of an upload than the transport holds.
    """

    def __init__(self, outbox: Outbox) -> None:
        self.paused = False
        self.connections = 0  # that there were
        self._outbox = outbox
        self._say: Say | None = None
        self._turns: deque[Deferred[Say]] = deque()
        self._producing = False
        self._quit = False
        self._over = False  # nothing more can be said on this connection

    @property
    def live(self) -> bool:
        """Whether anything can be said at all."""
        return self._say is not None

    def open(self, say: Say) -> None:
        """Logged in: all goes out by ``say``."""
        self._say = say
        self._over = False
        self.connections += 1
        self.produce()

    def close(self) -> None:
        """The connection is gone: what is in the outbox waits for the next one, the turns are not to be had."""
        self._say = None
        self.paused = False
        turns, self._turns = self._turns, deque()
        for turn in turns:
            turn.errback(Failure(ConnectionLost("the connection went")))

    def turn(self, connection: int) -> Deferred[Say]:
        """Fire when one frame may be said, with what says it.

        Errback ``ConnectionLost`` where the connection of that number, as :attr:`connections` counts them, is gone.
        """
        if self._say is None or connection != self.connections:
            return fail(ConnectionLost("the connection went"))
        turn: Deferred[Say] = Deferred(self._turns.remove)
        self._turns.append(turn)
        self.produce()
        return turn

    def quit(self) -> None:
        """Say `quit` as soon as all messages were said, and nothing behind it."""
        self._quit = True
        self.produce()

    def produce(self) -> None:
        """Say what the transport takes."""
        if self._producing:  # the loop below goes on
            return
        self._producing = True
        try:
            while self._say is not None and not self.paused and not self._over:
                if self._outbox.waiting:
                    self._outbox.say_next(self._say)
                elif self._quit:
                    self._over = True
                    self._say(Quit(), b"")
                elif self._turns:
                    self._turns.popleft().callback(self._say)
                else:
                    break
        finally:
            self._producing = False

    def pauseProducing(self) -> None:
        """The transport holds enough."""
        self.paused = True

    def resumeProducing(self) -> None:
        """The transport takes more."""
        self.paused = False
        self.produce()

    def stopProducing(self) -> None:
        """The transport takes no more."""
        self.close()
