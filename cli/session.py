"""What a client knows: its rooms, what it sent, what it asked. Frames in and frames out, no I/O.

A session outlives its connections: each one begins with :meth:`Session.login`, is opened by the server's `welcome`
and ends with :meth:`Session.lost`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import UNSET
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionLost
from twisted.python.failure import Failure

from cli.inbox import Inbox, Message
from cli.outbox import Outbox, Say, Sending
from cli.questions import Questions
from cli.refusals import AskRefused, ClientClosed, LoginRefused, SendRefused
from cli.room import Room
from cli.status import Listener
from wire import frames
from wire.frames import LOBBY, MAX_BODY, BadFrame, Frame, RoomInfo, ServerFrame
from wire.names import BadName, canonical, fold

PAGE: Final = 100  # messages asked for at once to fill a gap: 6 MB at most
ROOMS: Final = 1000  # that a server may say we are in: 100, and talks of two


class Session:
    """A user of one server.

    ``rooms`` maps each room to the last id that is known of it, None for the newest ``history`` messages. ``key`` and
    ``client`` are the secrets of the protocol's `login`.
    """

    def __init__(
        self,
        user: str,
        inbox: Inbox,
        *,
        rooms: Mapping[str, int | None] | None = None,
        history: int | None = None,
        key: str | None = None,
        client: str | None = None,
        listener: Listener | None = None,
    ) -> None:
        self.user = user
        self.inbox = inbox
        self.outbox = Outbox()
        self.listener = listener or Listener()
        self.live = False  # logged in
        self.storage_down = False
        self.ping_every = 30  # seconds
        self.refusal: LoginRefused | None = None  # why the last login failed
        self.bye = ""  # the reason of the server's `bye`
        self.fault = ""  # the server's last fatal error, for a person
        self._key = key
        self._client = client
        self._history = history if inbox.keep else 0
        wanted = {LOBBY: None} if rooms is None else rooms
        self._rooms = {fold(name): Room(name, after, self._history) for name, after in wanted.items()}
        self._questions = Questions()
        self._gaps: dict[str, Room] = {}
        self._filling = False
        self._say: Say | None = None
        self._closed: ClientClosed | None = None

    @property
    def behind(self) -> int:
        """How many messages are known of that were not read."""
        return len(self.inbox) + sum(room.missing for room in self._rooms.values())

    # The life of a connection.

    def login(self) -> frames.Login:
        """Return what to say first on a new connection."""
        self.refusal, self.bye, self.fault = None, "", ""
        if not self.inbox.keep:
            for room in self._rooms.values():
                room.start_anew()
        return frames.Login(
            user=self.user,
            key=UNSET if self._key is None else self._key,
            client=UNSET if self._client is None else self._client,
            rooms={room.name: room.after for room in self._rooms.values()},
            history=UNSET if self._history is None else self._history,
        )

    def lost(self) -> None:
        """The connection is gone."""
        self.live = False
        self.storage_down = False
        self._say = None
        self._gaps.clear()
        for room in self._rooms.values():
            room.passed = 0
        self.outbox.close()
        self._questions.close()

    def received(self, frame: ServerFrame, body: bytes, say: Say) -> None:
        """Take what the server said on a connection where one answers by ``say``; raises :class:`BadFrame`."""
        match frame:
            case frames.Message() if self.live:
                self._message(frame, body)
            case frames.Ack() if self.live:
                self.outbox.stored(frame.seq, frame.id)
            case frames.Welcome() if not self.live:
                self._welcome(frame, say)
            case frames.Error():
                self._error(frame)
            case frames.Bye():
                self.bye = frame.reason
            case frames.Notice():
                self._notice(frame)
            case _ if not self.live or isinstance(frame, frames.Welcome):
                raise BadFrame("the server says what has no place there")
            case frames.Users() | frames.RoomList():
                self._questions.part(frame.ref, frame, body)
            case frames.Done():
                self._questions.done(frame.ref)
            case frames.Joined():
                self._open_room(frame.room, frame.first_id, frame.last_id)
            case frames.Left():
                self._left(frame.room)
            case frames.Presence():
                joined, left = frame.joined or [], frame.left or []
                self.listener.presence(frame.room, joined, left, frame.users)
        self._fill_gaps()

    # What its user does.

    def get(self) -> Deferred[Message]:
        """Return the next message, when it is there; errback :class:`ClientClosed`."""
        message = self.inbox.get()
        self._fill_gaps()
        return message

    def send(self, text: str, room: str) -> Deferred[int | None]:
        """Send ``text``; see :meth:`cli.client.Client.send_msg`."""
        if self._closed is not None:
            return fail(self._closed)
        try:
            body = text.encode()
        except UnicodeEncodeError:
            return fail(SendRefused("bad_text", "this is no text"))
        if len(body) > MAX_BODY:
            return fail(SendRefused("too_large", f"a message has at most {MAX_BODY} bytes, this one {len(body)}"))
        sending = Sending(room, body)
        self.outbox.put(sending)
        return sending.stored

    def join(self, name: str, after: int | None, history: int | None) -> Deferred[None]:
        """Be in a room from now on; errback :class:`AskRefused`. Without a connection, from the next login on."""
        if self._closed is not None:
            return fail(self._closed)
        try:
            canonical(name.removeprefix("@"))  # a wrong one would spoil the next login
        except BadName as why:
            return fail(AskRefused("bad_name", str(why)))
        key = fold(name)
        if key in self._rooms and self._rooms[key].opened:
            return succeed(None)
        room = self._rooms.setdefault(key, Room(name, after, history if self.inbox.keep else 0))
        joined: Deferred[None] = Deferred()
        room.joins.append(joined)
        if self._say is not None:
            number = UNSET if room.history is None else room.history
            self._say(frames.Join(room=name, after=room.after, history=number), b"")
        return joined

    def leave(self, name: str) -> Deferred[None]:
        """Be in a room no more; errback :class:`AskRefused`."""
        room = self._rooms.get(fold(name))
        if room is None:
            return fail(AskRefused("not_in_room", f"not in {name}"))
        left: Deferred[None] = Deferred()
        room.leaves.append(left)
        if self._say is None:
            self._left(name)
        else:
            self._say(frames.Leave(room=name), b"")
        return left

    def history(self, room: str, limit: int, before: int | None) -> Deferred[list[Message]]:
        """Ask for old messages; see :meth:`cli.client.Client.history`."""
        page: list[Message] = []
        number = UNSET if before is None else before
        return self._questions.ask(
            lambda ref: frames.History(limit=limit, ref=ref, room=room, before=number),
            page,
            lambda frame, body: page.append(_message(frame, body)) if isinstance(frame, frames.Message) else None,
        )

    def who(self, room: str) -> Deferred[list[str]]:
        """Ask who is in a room."""
        users: list[str] = []
        return self._questions.ask(
            lambda ref: frames.Who(ref=ref, room=room),
            users,
            lambda frame, _: users.extend(frame.users) if isinstance(frame, frames.Users) else None,
        )

    def list_rooms(self) -> Deferred[dict[str, RoomInfo]]:
        """Ask which rooms there are."""
        rooms: dict[str, RoomInfo] = {}
        return self._questions.ask(
            lambda ref: frames.Rooms(ref=ref),
            rooms,
            lambda frame, _: rooms.update(frame.rooms) if isinstance(frame, frames.RoomList) else None,
        )

    def close(self, why: ClientClosed) -> None:
        """The client ends: whoever waits for something waits in vain, and what is asked from now on is refused."""
        self._closed = why
        self.inbox.close(why)
        self.outbox.abandon(why)
        for room in self._rooms.values():
            _errback(room.joins, why)
            _errback(room.leaves, why)

    # What the server says.

    def _welcome(self, frame: frames.Welcome, say: Say) -> None:
        self.live = True
        self.user = frame.user
        self.ping_every = min(max(frame.ping_every, 1), 3600)
        self._say = say
        self._questions.open(say)
        for name, span in frame.rooms.items():
            self._open_room(name, span.first_id, span.last_id)
        self.outbox.open(frame.received, say)

    def _open_room(self, name: str, first_id: int, last_id: int) -> None:
        if len(self._rooms) >= ROOMS and fold(name) not in self._rooms:
            raise BadFrame("the server has too many rooms")
        room = self._rooms.setdefault(fold(name), Room(name, None, None))
        room.open(name, first_id, last_id)
        joins, room.joins = room.joins, []
        for joined in joins:
            joined.callback(None)
        self.listener.room_opened(name, first_id, last_id)

    def _left(self, name: str) -> None:
        room = self._rooms.pop(fold(name), None)
        self._gaps.pop(fold(name), None)
        if room is None:
            return
        for left in room.leaves:
            left.callback(None)
        _errback(room.joins, AskRefused("not_in_room", f"left {name}"))

    def _message(self, frame: frames.Message, body: bytes) -> None:
        if frame.ref is not UNSET:
            self._questions.part(frame.ref, frame, body)
            return
        room = self._rooms.get(fold(frame.room))
        if room is not None:
            self._put(room, _message(frame, body), len(body))

    def _put(self, room: Room, message: Message, size: int) -> None:
        if room.expected is None:
            room.expected = message.id
        room.last_id = max(room.last_id, message.id)
        if message.id < room.expected:
            return
        if message.id == room.expected and self._try(room, message, size):
            return
        room.passed = max(room.passed, message.id)
        self._gaps[fold(room.name)] = room

    def _try(self, room: Room, message: Message, size: int) -> bool:
        # The cursor goes first: whoever is given the message may look at the status at once.
        room.expected = message.id + 1
        if self.inbox.put(message, size):
            return True
        room.expected = message.id
        return False

    def _notice(self, frame: frames.Notice) -> None:
        if frame.code in ("storage_down", "storage_up"):
            self.storage_down = frame.code == "storage_down"
        self.listener.notice(frame.code, frame.text)

    def _error(self, frame: frames.Error) -> None:
        if not self.live:
            self.refusal = LoginRefused(frame.code, frame.text)
        elif frame.seq is not UNSET:
            self.outbox.refused(frame.seq, frame.code, frame.text)
        elif frame.ref is not UNSET:
            self._questions.refused(frame.ref, frame.code, frame.text)
        elif frame.fatal is True:
            self.fault = frame.text
        elif not self._refused_room(frame):
            self.listener.notice(frame.code, frame.text)

    def _refused_room(self, frame: frames.Error) -> bool:
        """Whether somebody waited for this: to join a room or to leave one."""
        room = None if frame.room is UNSET else self._rooms.get(fold(frame.room))
        if room is None or not (room.joins or room.leaves):
            return False
        why = AskRefused(frame.code, frame.text)
        if not room.opened:
            del self._rooms[fold(room.name)]
        _errback(room.joins, why)
        _errback(room.leaves, why)
        return True

    # Messages that went by while the inbox was full are asked for, a page at a time, when there is room again.

    def _fill_gaps(self) -> None:
        if self._filling or not self._gaps or self.storage_down or not self.live or not self.inbox.has_room:
            return
        for key, room in list(self._gaps.items()):
            if room.gap:
                self._fill(room)
                return
            del self._gaps[key]

    def _fill(self, room: Room) -> None:
        assert room.expected is not None
        limit = min(PAGE, room.passed + 1 - room.expected)
        before = room.expected + limit  # ids have no gaps, so this asks for what is next and nothing else
        page = Page(self, room)
        self._filling = True
        answer = self._questions.ask(
            lambda ref: frames.History(limit=limit, ref=ref, room=room.name, before=before), page, page.take
        )
        answer.addCallback(self._filled, before)
        answer.addErrback(self._not_filled, room)

    def _filled(self, page: Page, before: int) -> None:
        self._filling = False
        if page.empty:  # all of it was pruned
            page.room.expected = max(page.room.expected or 0, before)

    def _not_filled(self, failure: Failure, room: Room) -> None:
        self._filling = False
        failure.trap(AskRefused, ConnectionLost)
        if not (isinstance(failure.value, AskRefused) and failure.value.code == "storage_down"):
            self._gaps.pop(fold(room.name), None)  # it would be refused again; a new login begins anew


class Page:
    """The answer that fills a gap, put into the inbox as it comes."""

    def __init__(self, session: Session, room: Room) -> None:
        self._session = session
        self.room = room
        self.empty = True

    def take(self, frame: Frame, body: bytes) -> None:
        """Take one message."""
        if not isinstance(frame, frames.Message):
            return
        if self.empty:  # what would stand before the first one was pruned
            self.room.expected = max(self.room.expected or 0, frame.id)
        self.empty = False
        self._session._put(self.room, _message(frame, body), len(body))


def _message(frame: frames.Message, body: bytes) -> Message:
    return Message(
        room=frame.room,
        id=frame.id,
        sender=frame.sender,
        at=frame.at,
        text=body.decode(errors="replace"),
        size=None if frame.size is UNSET else frame.size,
        name=None if frame.name is UNSET else frame.name,
        deleted=frame.deleted is True,
    )


def _errback(waiting: list[Deferred[None]], why: Exception) -> None:
    while waiting:
        waiting.pop(0).errback(Failure(why))
