"""One client's connection: what it may say, what it is told, and where it stands in its rooms."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from msgspec import UnsetType
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IDelayedCall, IHalfCloseableProtocol
from twisted.logger import Logger
from twisted.protocols.basic import NetstringParseError
from twisted.python.failure import Failure
from zope.interface import implementer

from server import orders
from server.addresses import network
from server.intake import Intake
from server.joining import Joining
from server.journal import Failed
from server.outlet import Lost, Outlet, Source, outlet
from server.questions import Asked, FetchAnswer, HistoryAnswer, Questions, RoomsAnswer, users_frames
from server.refusals import Refused, echo_of, error, named, valid_echo
from server.room import Cursor, Room
from server.rules import NO_ROOM
from server.sending import Sending
from server.sockets import is_reset, tune
from storage.interface import Account, Login
from wire import frames
from wire.frames import (
    MAX_FRAME,
    MAX_PAGE,
    BadFrame,
    ClientFrame,
    Echo,
    Frame,
    encode,
    from_client,
    room_of,
)
from wire.names import TALK, fold, room_name
from wire.netstring import Netstrings

if TYPE_CHECKING:
    from server.server import Server

UNREAD_ANSWERS: Final = 64 * 1024  # bytes of answers that a client may leave unread before it is read no more
LINGER: Final = 1.0  # seconds that a client has to close after the last frame
MOMENT: Final = 0.01  # seconds for which who asks for too much at once is not heard: a refusal costs a sending each
LITTLE: Final = 1024  # bytes a second, or once in a while: as much as somebody types
MUCH: Final = 2 * LITTLE  # bytes that are held against anybody: two seconds later they are forgotten
FRAMES: Final = 512  # taken of what one read brought before others have their turn: some milliseconds
BEFORE_LOGIN: Final = 2 * MAX_FRAME  # bytes: the largest login, and as much besides as one read may bring


@implementer(IHalfCloseableProtocol)
class Connection(Netstrings):
    """The server's end of one connection.

    It begins by waiting for a ``login``; from the ``welcome`` on it has a :class:`Cursor` for each of its rooms. What
    has to be stored goes to the journal, in the order in which it came, and is answered in that order.
    """

    # Of each of ten thousand connections that say nothing a dictionary of all this would be the largest part.
    __slots__ = (
        "_before_login", "_deadline", "_ended", "_in_turn", "_over", "_quitting", "_said", "address", "connected_at",
        "cursors", "heard_at", "intake", "logged_in", "login", "lost", "network", "outlet", "paces", "pinged_at",
        "questions", "ready", "sending", "server", "user",
    )  # fmt: skip
    MAX_LENGTH = MAX_FRAME
    _log = Logger()

    def __init__(self, server: Server) -> None:
        self.server = server
        self.user = ""  # as it is shown; empty before login
        self.login: Login | None = None  # while it has its name, or is about to
        self.address = ""  # for the log
        self.network: str | None = None  # what of it limits count by; None where they do not count
        self.logged_in = False
        self.cursors: dict[str, Cursor] = {}  # by folded name of the room
        self.heard_at = self.connected_at = server.clock.seconds()
        self.pinged_at = 0.0
        self.outlet: Outlet
        self.intake = Intake(self)
        self.paces = server.limits.paces(self.intake)
        self.sending = Sending(self)
        self.questions = Questions(self, server.journal)
        self.ready: tuple[Source, ...] = ()  # who has something to give, in turn
        self._ended = False  # the client's sending direction has ended
        self._quitting = False
        self._in_turn = 0  # frames that were taken in this turn of the reactor
        self._said = 0.0  # bytes, of which each second takes away what is little
        self._before_login = 0  # bytes that came before a login did
        self._over = False  # the last frame was written, or the connection is lost and all that came was taken
        self.lost = False
        self._deadline: IDelayedCall | None = None

    @property
    def joining(self) -> Joining:
        """How it comes into rooms and out of them: that holds nothing, so it is made where it is wanted."""
        return Joining(self)

    @property
    def owner(self) -> str | None:
        """The account (folded) to which the rooms belong that it makes."""
        return self.account.user if self.account is not None else None

    @property
    def host(self) -> str:
        """The address of the client's machine; empty on a UNIX socket."""
        return self.address.rpartition(":")[0]

    @property
    def account(self) -> Account | None:
        """The account of which it has shown the password; None for one by a free name, and without a login."""
        return self.login.account if self.login is not None else None

    @property
    def is_logging_in(self) -> bool:
        """Whether a login came and is not answered yet."""
        return not self.logged_in and self.intake.busy

    @property
    def is_gone(self) -> bool:
        """Whether nobody waits for what it would be told."""
        return self._over or self.lost

    @property
    def is_over(self) -> bool:
        """Whether nothing more is said to it."""
        return self._over

    # -- Twisted's events

    def connectionMade(self) -> None:
        """A client connected."""
        assert self.transport is not None
        tune(self.transport)
        peer: Any = self.transport.getPeer()
        self.address = f"{peer.host}:{peer.port}" if hasattr(peer, "host") else "unix"
        self.network = network(getattr(peer, "host", None))
        self.outlet = outlet(self.transport, self.server.next_turn, self)
        self.server.add_conn(self)

    def dataReceived(self, data: bytes) -> None:
        """Bytes came."""
        now = self.server.clock.seconds()
        self._said = min(max(0.0, self._said - (now - self.heard_at) * LITTLE) + len(data), MUCH)
        self.heard_at = now
        if self._over:
            return
        self._in_turn = 0
        self.sending.says_little = self._said < LITTLE
        super().dataReceived(data)
        if self.paces.bytes is not None:
            self.paces.bytes.spent(len(data))
        if not self.logged_in:
            self._bound_before_login(len(data))

    def _bound_before_login(self, size: int) -> None:
        self._before_login += size
        if self._before_login > BEFORE_LOGIN and not (self._over or self.intake.busy):
            self.end_with_error("not_logged_in", "too much came before a login")

    def stringReceived(self, payload: bytes) -> None:
        """One frame came."""
        if self._over or self._quitting:
            return
        self._in_turn += 1
        if self._in_turn == FRAMES:
            self.intake.hold("turn")
            self.server.reading.wait(self._next_turn)
        try:
            frame, body = from_client.decode(payload)
        except BadFrame as bad:
            self.intake.put(partial(self._bad_frame, bad), len(payload))
            return
        # Nothing behind a quit is taken; what came before is.
        if self.intake.busy and type(frame) is not frames.Quit:
            self.intake.put(partial(self._take, frame, body), len(payload), partial(self._passes, frame))
        else:
            self._take(frame, body)

    def _next_turn(self) -> None:
        self._in_turn = 0
        self.intake.release("turn")

    def _passes(self, frame: ClientFrame) -> bool:
        """Whether ``frame`` need not wait for what waits for the database: that is away, and ``frame`` needs it not."""
        if not self.server.journal.down:
            return False
        if isinstance(frame, frames.Cancel):
            return frame.ref in self.questions
        return isinstance(frame, frames.Ping) or (self.logged_in and isinstance(frame, _QUESTIONS))

    def _take(self, frame: ClientFrame, body: bytes) -> None:
        if not self.logged_in and type(frame) not in _BEFORE_LOGIN:
            self.end_with_error("not_logged_in", "log in first", echo_of(frame))
        else:
            _TAKE[type(frame)](self, frame, body)

    def parse_failed(self, reason: NetstringParseError) -> None:
        """What came is no netstring."""
        self.intake.put(partial(self.end_with_error, "bad_frame", str(reason)), 0)

    def readConnectionLost(self) -> None:
        """The client's sending direction has ended: the same as ``quit``, once what is held was taken."""
        self._ended = True
        self.server.leaving.wait(self._has_ended)

    def _has_ended(self) -> None:
        if self._over:
            self.transport.loseConnection()  # type: ignore[union-attr]
        elif not (self.logged_in or self._before_login):
            self.abort()  # who said nothing was told nothing
        else:
            self.intake.go_on()

    def writeConnectionLost(self) -> None:
        """Our sending direction has ended, all was sent: the client has a moment to close."""
        self._cut_off_in(LINGER)

    def connectionLost(self, reason: Failure = Failure(ConnectionDone())) -> None:  # noqa: B008
        """The connection is gone; what it had sent before is taken all the same, and its name is free."""
        self.lost = True
        self.outlet = Lost()
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        if self._over:
            self._go()
            return
        if self.logged_in:
            self._log.info("{address} {user} is gone", address=self.address, user=self.user)
        elif reason.check("OpenSSL.SSL.Error"):
            told = "{address}: there is no TLS with this one: {why}"
            self.server.complaints.tell(self._log, told, address=self.address, why=_fault(reason))
        self.server.free_name(self)
        self.intake.lost()

    def caught_up(self) -> None:
        """All that was read is taken."""
        if self._over:
            return
        if self.lost:
            self._go()
        else:
            self._quitting = self._quitting or self._ended
            self._bye_if_quit()

    def _go(self) -> None:
        """Nothing more comes, nor can anything be told."""
        self._over = True
        self.intake.close()
        self.questions.close()
        self.sending.end()
        self.server.del_conn(self)
        if not (self.user or self.intake.busy):
            self._come_apart()

    def _come_apart(self) -> None:
        """Let a stranger's parts, which know it, go: in circles they would wait for the collector, by the thousand."""
        del self.questions, self.sending
        self.intake = _NOTHING

    # -- what it is told, in turn

    def has_more(self, source: Source) -> None:
        """``source`` has something to give: in its turn, as soon as the client can take it."""
        self.ready += (source,)
        if self.outlet.clear:
            self._give()

    def no_more(self, source: Source) -> None:
        """``source`` gives nothing any more."""
        self.ready = tuple(other for other in self.ready if other is not source)

    def cleared(self) -> None:
        """All that was written has gone out."""
        self.intake.release("answers")
        self._give()

    def _give(self) -> None:
        """Write one piece of who is next, since all that was written before has gone out."""
        while self.ready and self.outlet.clear and not self._over:
            source, self.ready = self.ready[0], self.ready[1:]
            if source.give(self.outlet):
                self.ready += (source,)
                break
        if self.ready and self.outlet.clear and not self._over:
            self.outlet.again()

    def write(self, frame: Frame, body: bytes = b"") -> None:
        """Send a frame behind all that was written."""
        self.send(encode(frame, body))

    def send(self, data: bytes) -> None:
        """Send encoded frames behind all that was written; who does not take them is read no more."""
        if self._over:
            return
        self.outlet.write(data)
        if self.outlet.waiting > UNREAD_ANSWERS:
            self.intake.hold("answers")

    # -- errors and endings

    def error(self, code: str, text: str, echo: Echo | None = None, *, fatal: bool = False) -> None:
        """Send an ``error`` that repeats what is valid of the frame that it answers."""
        self.send(error(code, text, echo, fatal=fatal))

    def end_with_error(self, code: str, text: str, echo: Echo | None = None) -> None:
        """Send a fatal ``error``, and end."""
        told = "{address} {user}: {code}: {why}"
        self.server.complaints.tell(self._log, told, address=self.address, user=self.user, code=code, why=text)
        self.error(code, text, echo, fatal=True)
        self.end("protocol")

    def end(self, reason: str) -> None:
        """Say ``bye`` (to who is logged in) as the last frame and end the sending direction."""
        if self._over:
            return
        if self.lost:
            self._go()
            return
        if self.logged_in:
            self._log.info(
                "{address} {user} is told bye: {reason}", address=self.address, user=self.user, reason=reason
            )
            self.write(frames.Bye(reason))
        self._over = True
        self.forget()
        self.intake.close()
        self.server.dismiss(self)
        if self._ended:  # nothing is left to be read, so the last frame arrives if it is closed at once
            self.outlet.close()
        else:
            self.outlet.finish()
        self._cut_off_in(self.server.grace if self.logged_in else LINGER)  # strangers hold no place for long
        self.transport.resumeProducing()  # type: ignore[union-attr]  # all is read, so that the last frame arrives

    def abort(self) -> None:
        """Cut the connection off."""
        self.transport.abortConnection()  # type: ignore[union-attr]

    def _cut_off_in(self, seconds: float) -> None:
        if self._deadline is not None and self._deadline.active():
            self._deadline.reset(seconds)
        else:
            self._deadline = self.server.clock.callLater(seconds, self.abort)

    def _bad_frame(self, bad: BadFrame) -> None:
        echo = valid_echo(bad.echo)
        if bad.type is None or (bad.type == "login" and not self.logged_in):
            self.end_with_error("bad_frame", str(bad), echo)
        elif not self.logged_in and bad.type not in ("ping", "pong", "quit"):
            self.end_with_error("not_logged_in", "log in first", echo)
        elif bad.type == "send" and isinstance(echo.seq, int):
            self.sending.bad_send(echo, str(bad))
        else:
            self.error("bad_frame", str(bad), echo)

    # -- login

    def _take_login(self, frame: frames.Login, _: bytes) -> None:
        if self.logged_in:
            self.error("bad_frame", "you are logged in already")
        elif not self.lost and is_reset(self.transport):  # nobody would hear of it, or say more
            self.abort()
            self._over = True
        else:
            self.intake.wait_for(self._log_in(frame))

    async def _log_in(self, frame: frames.Login) -> None:
        try:
            await self._admit(frame)
        except Refused as refused:
            self.end_with_error(refused.code, str(refused))
        except Exception as reason:
            self.end_with_error("failed", "this login failed; the operator finds the reason in the log")
            if not isinstance(reason, Failed):  # that was logged where it happened
                self._log.failure("a login failed")

    async def _admit(self, frame: frames.Login) -> None:
        name = named(frame.user)
        password = frame.password if isinstance(frame.password, str) else None
        asked = {frames.LOBBY: None} if isinstance(frame.rooms, UnsetType) else frame.rooms
        wanted = self.joining.wanted(asked)
        await self.server.rules.ready()
        await self.server.addresses.turn(self.network)
        account = await self.server.accounts.admit(self, name, password, self.network)
        if self._over:
            return
        logged_in = await self.server.log_in(self, name, account, _digest(frame.key), _digest(frame.client))
        self.user = logged_in.name
        self._check_ban()  # not before it is known who that is: a stranger is told of nobody's ban
        opened = await self.joining.open(wanted)
        if self._over:
            return
        self._check_ban()
        begins = self.joining.begins(opened, frame.history)
        self._welcome(list(begins))
        for room, begin in begins.items():
            self.joining.enter(room, begin)

    def _check_ban(self) -> None:
        self.server.rules.check_address(self.host)
        self.server.rules.check_user(self.user)

    def obey(self) -> None:
        """The rules have changed: go, or leave the rooms, where that is what they say now."""
        if not self.logged_in or self._over:
            return
        try:
            self._check_ban()
        except Refused as banned:
            self.throw_out(str(banned))
            return
        self.joining.obey()

    def throw_out(self, why: str) -> None:
        """End, because somebody wants it so."""
        self.error("forbidden", why)
        self.end("kicked")

    def _welcome(self, rooms: list[Room]) -> None:
        self.logged_in = True
        spans = {room.name: frames.RoomSpan(room.first_id, room.last_id) for room in rooms}
        self.write(frames.Welcome(self.user, self.server.title, self.server.ping_every, self.sending.received, spans))
        self._log.info("{address} {user} logged in", address=self.address, user=self.user)

    # -- rooms

    def cursor(self, name: str) -> Cursor:
        """Return the cursor in the room of that name; raises :class:`Refused`."""
        cursor = self.cursors.get(name) or self.cursors.get(fold(named(name, room_name)))
        if cursor is None and name.startswith(TALK):
            self.server.talks.check(self.account, name)
            raise Refused("not_in_room", "join it first")
        if cursor is None:
            known = self.server.rooms.is_known(name) and self.server.rules.lets(self.account, name)
            raise Refused(*(("not_in_room", "join it first") if known else NO_ROOM))
        return cursor

    # -- questions

    def _ask(self, frame: frames.History | frames.Search | frames.Who | frames.Fetch) -> tuple[Asked, Room] | None:
        """Open a question about a room; None where it is refused."""
        asked = self.questions.opens_reading(frame)
        if asked is not None:
            try:
                asked.room = self.cursor(room_of(frame)).room
                return asked, asked.room
            except Refused as refused:
                self.questions.refused(asked, refused.code, str(refused))
        return None

    def _take_history(self, frame: frames.History, _: bytes) -> None:
        if found := self._ask(frame):
            asked, room = found
            last = room.stored if isinstance(frame.before, UnsetType) else min(frame.before - 1, room.stored)
            first = max(room.first_id, last + 1 - min(frame.limit, MAX_PAGE))
            read = partial(self.server.stored.segment, room, frame.ref)
            self.questions.give(asked, HistoryAnswer(self.questions, asked, room, first, last, read))

    def _take_search(self, frame: frames.Search, _: bytes) -> None:
        if found := self._ask(frame):
            asked, room = found
            self.questions.give(asked, self.server.searches.answer(self.questions, asked, room, frame))

    def _take_fetch(self, frame: frames.Fetch, _: bytes) -> None:
        if found := self._ask(frame):
            asked, room = found
            server, place = self.server, (room.key, frame.id)
            fetch = FetchAnswer(self.questions, asked, place, frame.offset, server.stored.contents, server.turns)
            self.questions.give(asked, fetch)

    def _take_who(self, frame: frames.Who, _: bytes) -> None:
        if found := self._ask(frame):
            asked, room = found
            users = users_frames(frame.ref, list(room.users))
            self.questions.answered(asked, users + encode(frames.Done(frame.ref)))

    def _take_rooms(self, frame: frames.Rooms, _: bytes) -> None:
        if asked := self.questions.opens_reading(frame):
            asked.answer = RoomsAnswer(self.questions, asked, Deferred.fromCoroutine(self._list_rooms()))

    async def _list_rooms(self) -> dict[str, frames.RoomInfo]:
        """Return the rooms that it may be in, and its own talks, by name: none that another one has only opened."""
        rooms = await self.server.stored.rooms()
        found = {room.name: room for room in rooms if self.server.rules.lets(self.account, room.name)}
        talks = await self.server.talks.of(self.account)
        found |= {name: room for name, room in talks.items() if room.last_id or fold(name) in self.cursors}
        return {name: self.server.rooms.info(room) for name, room in found.items()}

    # -- its account

    def _take_register(self, frame: frames.Register, _: bytes) -> None:
        if asked := self.questions.opens(frame):
            self.intake.wait_for(self._register(asked, frame))

    async def _register(self, asked: Asked, frame: frames.Register) -> None:
        try:
            await self.server.register(self, frame.password, frame.old if isinstance(frame.old, str) else None)
        except (Refused, Failed):
            self.questions.failed(asked, Failure())
        else:
            self.questions.answered(asked, encode(frames.Done(frame.ref)))

    # -- the rest

    def _take_ping(self, frame: frames.Ping, _: bytes) -> None:
        self.write(frames.Pong(frame.ref))

    def _take_pong(self, frame: frames.Pong, body: bytes) -> None:
        """Nothing to do: it was heard."""

    def _take_quit(self, frame: frames.Quit, _: bytes) -> None:  # noqa: ARG002
        self._quitting = True
        self._bye_if_quit()

    def settled(self) -> None:
        """Something that was asked for is done: it may have been the last."""
        self._bye_if_quit()

    def slow_down(self) -> None:
        """It asks for more than it may: hear nothing of it for a moment."""
        self.intake.hold("refused")
        self.server.clock.callLater(MOMENT, self.intake.release, "refused")

    def _bye_if_quit(self) -> None:
        if self._quitting and not self.intake.busy and self.sending.is_settled and not self.questions:
            self.end("quit")


class _Nobody:
    """From whom nothing comes."""

    def pauseProducing(self) -> None:
        """Nothing to pause."""

    def resumeProducing(self) -> None:
        """Nothing to resume."""

    def caught_up(self) -> None:
        """Nothing was held up."""


_NOTHING: Final = Intake(_Nobody())  # of all who are gone
_NOTHING.close()


def _fault(reason: Failure) -> str:
    """Return what OpenSSL finds wrong, in its own words."""
    assert reason.value is not None
    [faults, *_] = reason.value.args or ([],)
    return ", ".join(fault[-1] for fault in faults) or "broken off"


def _digest(secret: str | UnsetType) -> bytes | None:
    return sha256(secret.encode()).digest() if isinstance(secret, str) else None


_QUESTIONS: Final = (frames.History, frames.Search, frames.Who, frames.Rooms, frames.Fetch)
_BEFORE_LOGIN: Final = frozenset({frames.Login, frames.Ping, frames.Pong, frames.Quit})
_TAKE: dict[type[ClientFrame], Callable[..., None]] = {
    frames.Login: Connection._take_login,
    frames.Send: lambda connection, frame, body: connection.sending.send(frame, body),
    frames.Part: lambda connection, frame, body: connection.sending.part(frame, body),
    frames.Drop: lambda connection, frame, _: connection.sending.drop(frame),
    frames.Resume: lambda connection, frame, _: connection.sending.resume(frame),
    frames.Join: lambda connection, frame, _: connection.joining.join(frame),
    frames.Leave: lambda connection, frame, _: connection.joining.leave(frame),
    frames.History: Connection._take_history,
    frames.Search: Connection._take_search,
    frames.Who: Connection._take_who,
    frames.Rooms: Connection._take_rooms,
    frames.Register: Connection._take_register,
    frames.Fetch: Connection._take_fetch,
    frames.Delete: orders.take_delete,
    frames.Run: orders.take_run,
    frames.Cancel: lambda connection, frame, _: connection.questions.cancel(frame.ref),
    frames.Ping: Connection._take_ping,
    frames.Pong: Connection._take_pong,
    frames.Quit: Connection._take_quit,
}
