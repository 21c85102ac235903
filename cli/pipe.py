"""``chat`` without a terminal: lines in are sent, messages come out one a line."""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IHalfCloseableProtocol, IPushProducer, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.stdio import StandardIO
from twisted.python.failure import Failure
from zope.interface import implementer

from cli.client import Client
from cli.inbox import Message
from cli.login import connecting
from cli.options import Options
from cli.refusals import ClientClosed, SendRefused
from cli.secrets import Secrets
from cli.status import State, Status
from cli.visit import PATIENCE, Connect, Visitor, leaving, visit
from wire.frames import LOBBY, MAX_BODY
from wire.text import safe, safe_line

UNSENT: Final = 200  # messages on their way at most; then no more lines are read
LONGEST: Final = 8 * 2**20  # bytes of a line; it is in memory as a whole, a few times over

T = TypeVar("T")


def plain(message: Message) -> str:
    """Return ``message`` as a line for people: ``name: text``, newlines and control characters escaped."""
    text = message.text
    if message.deleted:
        text = "[deleted]"
    elif message.name is not None:
        text = f"[file {message.name}, {message.size} bytes, id {message.id}]"
    elif message.size is not None:
        text += f" ... [{message.size} bytes, id {message.id}]"
    return f"{_escaped(message.sender)}: {_escaped(text)}"


def as_json(message: Message) -> str:
    """Return ``message`` as a JSON object in one line of ASCII."""
    fields = {"room": message.room, "id": message.id, "from": message.sender, "at": message.at, "text": message.text}
    if message.size is not None:
        fields["size"] = message.size
    if message.name is not None:
        fields["name"] = message.name
    if message.deleted:
        fields["deleted"] = True
    return json.dumps(fields)


class _Escapes(dict[int, str]):
    """A table for ``str.translate``: what is not shown as it is in one line becomes a backslash and its number."""

    def __missing__(self, code: int) -> str:
        c = chr(code)
        shown = self[code] = c if safe_line(c) == c else c.encode("unicode_escape").decode()
        return shown


_ESCAPES: Final = _Escapes({c: f"\\u{c:04x}" for c in range(0xD800, 0xE000)})


def _escaped(text: str) -> str:
    return safe(text.translate(_ESCAPES))


@implementer(IHalfCloseableProtocol, IPushProducer)
class Filter(Protocol, Visitor):
    """Between standard input, a client and standard output.

    Reads no more lines than the server takes, and no more messages than the output takes. ``complain`` is given lines
    for standard error. ``over`` fires once, when there is no more to do.
    """

    def __init__(
        self,
        clock: IReactorTime,
        room: str,
        line: Callable[[Message], str],
        complain: Callable[[str], None],
        drain: bool,
    ) -> None:
        self.over: Deferred[None] = Deferred()
        self.failed = False  # a line could not be sent, or not be known to be stored
        self._clock = clock
        self._room = room
        self._line = line
        self._complain = complain
        self._drain = drain  # what was said before is to be written, even if the input ends first
        self._client: Client | None = None
        self._rest = bytearray()  # the beginning of a line
        self._lines = 0
        self._ready: deque[tuple[int, str]] = deque()  # lines with their numbers, behind a long one
        self._long = False  # one that is longer than a frame is on its way, and would be overtaken by others
        self._held = False
        self._input_ended = False
        self._output: Deferred[None] | None = None  # fires when the output takes more
        self._output_lost = False
        self._writing: Deferred[None] = Deferred()
        self._closed: Deferred[None] = Deferred()
        self._patience: IDelayedCall | None = None
        self._state = State.CONNECTING

    @property
    def _transport(self) -> Any:
        return self.transport

    def start(self, client: Client, attach: Callable[[Filter], object]) -> None:
        """Begin: ``attach`` connects us to the standard streams."""
        self._client = client
        attach(self)
        self._transport.registerProducer(self, True)
        self._writing = Deferred.fromCoroutine(self._write_messages(client))
        self._writing.addErrback(self._end_with)

    async def finish(self) -> None:
        """Leave the server and write all that came."""
        await self.leave()
        await self._writing
        if not self._output_lost:
            self._transport.unregisterProducer()
            self._transport.loseConnection()
            await self._closed

    def leave(self) -> Deferred[None]:
        """Leave the server; what came is written only as far as the output takes it."""
        assert self._client is not None
        if self._patience is not None and self._patience.active():
            self._patience.cancel()
        return self._client.close()

    # Input.

    def dataReceived(self, data: bytes) -> None:
        """Send the lines that this completes."""
        first, *more = data.split(b"\n")
        self._rest += first
        for rest in more:
            self._end_line()
            self._rest += rest
        del self._rest[LONGEST + 1 :]  # enough to know that it is too long
        self._look()

    def readConnectionLost(self) -> None:
        """The input has ended, maybe without a newline."""
        if self._rest:
            self._end_line()
        self._input_ended = True
        self._look()

    def _end_line(self) -> None:
        line, self._rest = self._rest, bytearray()
        self._lines += 1
        if len(line) > LONGEST:
            self._refuse(self._lines, f"longer than {LONGEST} bytes; chat send takes a text of any size")
            return
        try:
            self._ready.append((self._lines, line.decode()))
        except UnicodeDecodeError:
            self._refuse(self._lines, "no UTF-8")
        self._send()

    def _send(self) -> None:
        assert self._client is not None
        while self._ready and not self._long:
            number, text = self._ready.popleft()
            stored = self._client.send_msg(text, self._room)
            if len(text) > MAX_BODY or len(text.encode()) > MAX_BODY:
                self._long = True
                stored.addBoth(self._long_over)
            stored.addErrback(self._not_stored, number)
            stored.addErrback(self._end_with)

    def _long_over(self, result: T) -> T:
        self._long = False
        self._send()
        self._look()
        return result

    def _not_stored(self, failure: Failure, number: int) -> None:
        failure.trap(SendRefused, ClientClosed)
        if isinstance(failure.value, SendRefused):
            self._refuse(number, failure.value.text)
        self.failed = True

    def _refuse(self, number: int, why: str) -> None:
        self.failed = True
        self._complain(f"line {number} was not sent: {why}")

    # Output.

    async def _write_messages(self, client: Client) -> None:
        with suppress(ClientClosed):
            while True:
                message = await client.read_msg()
                self._transport.write(self._line(message).encode() + b"\n")
                if self._output is not None:
                    await self._output

    def pauseProducing(self) -> None:
        """The output takes no more."""
        if self._output is None:
            self._output = Deferred()

    def resumeProducing(self) -> None:
        """The output takes more."""
        output, self._output = self._output, None
        if output is not None:
            output.callback(None)

    def stopProducing(self) -> None:
        """The output is gone, as :meth:`writeConnectionLost` says too."""

    def writeConnectionLost(self) -> None:
        """Nobody reads what we write: it is let go, and where nothing is piped in either there is no more to do."""
        self._output_lost = True
        self.resumeProducing()
        if os.isatty(0):
            self._end()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002
        """All is written."""
        self._closed.callback(None)

    # The connection to the server.

    def status_changed(self, status: Status) -> None:
        """Tell of a lost connection, and see whether there is more to do."""
        before, self._state = self._state, status.state
        self.reason = status.reason or self.reason
        if self._client is None:
            return
        if status.state is State.LOST and before in (State.LIVE, State.BEHIND):
            self._complain(f"the connection is lost, trying again: {status.reason}")
        if status.state is State.CLOSED and status.reason:
            self.failed = True
            self._complain(status.reason)
            self._end()
        self._look()

    def notice(self, code: str, text: str) -> None:  # noqa: ARG002
        """Pass on what the server says to everybody."""
        self._complain(text)

    def _look(self) -> None:
        """See whether the input is to be held or let go on, and whether all is done."""
        assert self._client is not None
        status = self._client.check_status()
        if not self._held and (self._long or status.unsent >= UNSENT):
            self._held = True
            self._transport.pauseProducing()
        elif self._held and not self._long and status.unsent < UNSENT // 2:
            self._held = False
            self._transport.resumeProducing()
        if not self._input_ended or self._ready:
            return
        if not status.unsent and not (self._drain and status.behind):
            self._end()
        elif status.state is State.LOST and self._patience is None:
            self._patience = self._clock.callLater(PATIENCE, self._give_up)
        elif status.state is not State.LOST and self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        assert self._client is not None
        self.failed = True
        unsent = self._client.check_status().unsent
        self._complain(f"gave up, {unsent} messages may not have been sent: {self.reason}")
        self._end()

    def _end_with(self, failure: Failure) -> None:
        if not self.over.called:
            self.over.errback(failure)

    def _end(self) -> None:
        if not self.over.called:
            self.over.callback(None)


def talk(reactor: Any, options: Options, secrets: Secrets) -> Deferred[int]:
    """Be a filter as the flags say; fires with the exit status."""
    rooms, history = options["rooms"] or [LOBBY], options["history"]
    line = as_json if options["json"] else plain
    connect = connecting(reactor, options, secrets, rooms, history)
    return leaving(reactor, run(reactor, connect, rooms[0], server=options.server, line=line, drain=history > 0))


async def run(
    reactor: Any, connect: Connect, room: str, *, server: str, line: Callable[[Message], str], drain: bool
) -> int:
    """Be a filter until the input has ended and all of it is stored, or until it cannot be; return the exit status.

    ``line`` makes a line of a message; ``drain`` waits for what was said before, too. Cancelling it leaves the server.
    """
    pipe = Filter(reactor, room, line, _complain, drain)

    async def carry_out(client: Client) -> int:
        blocking = [os.get_blocking(descriptor) for descriptor in (0, 1)]
        try:
            pipe.start(client, lambda pipe: StandardIO(pipe, reactor=reactor))
            await pipe.over
            await pipe.finish()
        except CancelledError:
            await pipe.leave()
            raise
        finally:
            for descriptor, was in enumerate(blocking):  # a terminal is shared with who started us
                os.set_blocking(descriptor, was)
        return int(pipe.failed)

    return await visit(reactor, connect, server, pipe, carry_out, _complain)


def _complain(line: str) -> None:
    print(f"chat: {safe_line(line)}", file=sys.stderr)
