"""One connection of a client: frames off and onto the transport, and whether anybody is still at its other end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IPushProducer, IReactorTime, ISSLTransport
from twisted.internet.task import LoopingCall
from twisted.protocols.basic import NetstringParseError
from twisted.python.failure import Failure
from zope.interface import implementer

from cli.refusals import UNTRUSTED, LoginRefused
from cli.session import Session
from cli.sockets import tune
from wire.frames import BadFrame, Frame, Ping, Pong, Welcome, encode, from_server
from wire.netstring import Netstrings

SILENCE: Final = 3  # pings' intervals without a word after which a server counts as gone
LATE: Final = 1.0  # seconds without an answer after which it is told, and again
IF_TLS: Final = "if it speaks TLS, say --tls, or tls:// before the address"
PONGS: Final = 100  # that a server may ask for without taking what we say

_TLS_ALERT: Final = b"\x15"


@implementer(IPushProducer)
class Connection(Netstrings):
    """Speaks for ``session``. ``settled`` is called when all that was read is taken, ``ended(why)`` at the end.

    Pings, so that the lag is known, and hangs up where no answer comes, but for a server that waits for its database:
    it may not be reading.
    """

    def __init__(
        self, session: Session, clock: IReactorTime, settled: Callable[[], None], ended: Callable[[str], None]
    ) -> None:
        self._session = session
        self._clock = clock
        self._settled = settled
        self._ended = ended
        self._fault = ""
        self._heard = clock.seconds()
        self._pings = 0
        self._pinged: float | None = None  # when, while it is not answered
        self._answered: float | None = None  # seconds that the last answer took
        self._first = b""  # byte that came
        self._pongs = 0  # said while the transport is full
        self._watch = LoopingCall(self._look)
        self._waiting = LoopingCall(settled)  # for a pong: the lag grows
        self._watch.clock = self._waiting.clock = clock

    @property
    def lag(self) -> float | None:
        """Seconds that the last ping's answer took, or that one has been waited for if that is longer."""
        waiting = None if self._pinged is None else self._clock.seconds() - self._pinged
        return max((lag for lag in (self._answered, waiting) if lag is not None), default=None)

    def connectionMade(self) -> None:
        """Say who we are."""
        tune(self._transport)
        self._transport.registerProducer(self._session.outlet, True)
        self._session.downloads.registerProducer(self)
        self._say(self._session.login())
        self._start_watch()

    def dataReceived(self, data: bytes) -> None:
        """Take what was read."""
        self._heard = self._clock.seconds()
        self._first = self._first or data[:1]
        super().dataReceived(data)
        self._settled()

    def stringReceived(self, payload: bytes) -> None:
        """Take one frame; one that is wrong ends the connection, an unknown type is nothing."""
        try:
            frame, body = from_server.decode(payload)
            if isinstance(frame, Ping):
                self._pong(frame)
            elif isinstance(frame, Pong):
                self._ponged(frame)
            else:
                self._session.received(frame, body, self._say)
        except BadFrame as wrong:
            if not wrong.unknown:
                self.hang_up(f"not understood: {wrong}")
            return
        if isinstance(frame, Welcome):
            self._start_watch()
        elif self._session.refusal is not None or self._session.bye:  # nothing can follow
            self.hang_up("")

    def resumeProducing(self) -> None:
        """Read on, after what was paused because too much waited to be written."""
        if self.paused:
            self._heard = self._clock.seconds()
            super().resumeProducing()
            self._settled()

    def stopProducing(self) -> None:
        """Nobody takes what we read."""
        self.hang_up("")

    def parse_failed(self, reason: NetstringParseError) -> None:
        """What is there speaks another protocol."""
        self.hang_up(f"that is no chat server: {reason}" + (f"; {IF_TLS}" if self._first == _TLS_ALERT else ""))

    def hang_up(self, why: str) -> None:
        """End the connection at once; ``why`` is for a person."""
        self._fault = self._fault or why
        self.brokenPeer = 1  # what was read already is not looked at either
        self._transport.abortConnection()

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        """The connection is gone."""
        for call in (self._watch, self._waiting):
            if call.running:
                call.stop()
        self._session.downloads.unregisterProducer()
        if self.paused:  # what is held may say why
            self.paused = False
            self._deliver()
        secured = ISSLTransport.providedBy(self.transport)
        if secured and not self._fault and (distrust := _distrust(reason)):
            self._session.refusal = LoginRefused(UNTRUSTED, distrust)
        self._ended(self._fault or (_words(reason) if self._first or secured else _first_words(reason)))

    @property
    def _transport(self) -> Any:
        return self.transport

    def _say(self, frame: Frame, body: bytes = b"") -> None:
        self._transport.write(encode(frame, body))

    def _pong(self, ping: Ping) -> None:
        self._pongs = self._pongs + 1 if self._session.outlet.paused else 0
        if self._pongs > PONGS:
            raise BadFrame("the server asks without listening")
        self._say(Pong(ref=ping.ref))

    def _ponged(self, pong: Pong) -> None:
        if self._pinged is not None and pong.ref == self._pings:
            self._answered = self._clock.seconds() - self._pinged
            self._pinged = None
            self._waiting.stop()

    def _start_watch(self) -> None:
        if self._watch.running:
            self._watch.stop()
        self._watch.start(self._session.ping_every, now=False)

    def _look(self) -> None:
        if self.paused:  # the silence is our own
            self._heard = self._clock.seconds()
        self._session.look()
        silence = self._clock.seconds() - self._heard
        if silence >= SILENCE * self._session.ping_every and not self._session.storage_down:
            self.hang_up("the server does not answer")
        elif self._pinged is None and not self.paused:
            self._pings += 1
            self._pinged = self._clock.seconds()
            self._say(Ping(ref=self._pings))
            self._waiting.start(LATE, now=False)
        self._settled()


def _distrust(reason: Failure) -> str:
    """Return why there is no TLS, for a person; nothing where that is not why the connection ended."""
    from cli.tls import why  # loaded already, where there is TLS

    return why(reason)


def _first_words(reason: Failure) -> str:
    """As :func:`_words`, where nothing came: a server that speaks TLS may go like that."""
    return f"{_words(reason)} without a word; {IF_TLS}" if reason.check(ConnectionDone) else _words(reason)


def _words(reason: Failure) -> str:
    """Return why a connection ended, for a person: where nothing more is known Twisted tells of cleanliness."""
    if reason.check(ConnectionDone):
        return "the server hung up"
    return "broken off on the way" if reason.check(ConnectionLost) else str(reason.value).rstrip(".")
