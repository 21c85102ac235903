"""What a client knows: its rooms, what it sent, what it asked. Frames in and frames out, no I/O.

A session outlives its connections: each one begins with :meth:`Session.login`, is opened by the server's `welcome`
and ends with :meth:`Session.lost`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from msgspec import UNSET
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.error import ConnectionLost
from twisted.python.failure import Failure

from cli import kept
from cli.attempts import InThread, at_once
from cli.downloads import Downloads
from cli.inbox import Inbox, Message
from cli.kept import Kept
from cli.outbox import Outbox, Say, Sending
from cli.outlet import Outlet
from cli.questions import Questions
from cli.refusals import AskRefused, ClientClosed, LoginRefused, SendRefused
from cli.room import Room
from cli.status import Listener, Progress
from cli.uploads import Uploads
from wire import frames
from wire.frames import LOBBY, MAX_BODY, BadFrame, Frame, RoomInfo, ServerFrame
from wire.names import BadName, file_name, fold, room_name

PAGE: Final = 100  # messages asked for at once to fill a gap: 6 MB at most
SHOWN: Final = 80  # characters of a text that are told of what an earlier run left
ROOMS: Final = 1000  # that a server may say we are in: 100, and talks of two

T = TypeVar("T")


class Session:
    """A user of one server.

    ``rooms`` maps each room to the last id that is known of it, None for the newest ``history`` messages. ``key`` and
    ``client`` are the secrets of the protocol's `login`, ``password`` that of the user's account; ``outbox`` is the
    file of an outbox on disk. What blocks is done ``in_thread``. What comes ``unasked``, in a talk of two that somebody
    begins, is taken or not.
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
        password: str | None = None,
        outbox: Path | None = None,
        in_thread: InThread = at_once,
        listener: Listener | None = None,
        unasked: bool = True,
    ) -> None:
        self.user = user
        self.inbox = inbox
        self.listener = listener or Listener()
        self.live = False  # logged in
        self.storage_down = False
        self.ping_every = 30  # seconds
        self.refusal: LoginRefused | None = None  # why the last login failed
        self.bye = ""  # the reason of the server's `bye`
        self.fault = ""  # the server's last fatal error, for a person
        self._key = key
        self._client = client
        self.password = password  # what the next login says
        self._history = history if inbox.keep else 0
        self._unasked = unasked
        wanted = {LOBBY: None} if rooms is None else rooms
        self._rooms = {fold(name): Room(name, after, self._history) for name, after in wanted.items()}
        self._questions = Questions()
        self._kept = Kept(outbox, lambda why: self.listener.notice("outbox", why))
        self._outbox = Outbox(self._kept)
        self.outlet = Outlet(self._outbox)
        self.uploads = Uploads(self._outbox, self.outlet, self._questions, self._kept, in_thread)
        self.downloads = Downloads(self._questions, in_thread)
        self._gaps: dict[str, Room] = {}
        self._filling = False
        self._say: Say | None = None
        self._closed: ClientClosed | None = None
        self._texts = 0  # long ones that are under way
        self._leaving = False
        self._resending: list[
            tuple[str, str, int | None, Deferred[int | None]]
        ] = []  # by an earlier run: room, what, the number it was said with, what comes of it
        self._take_up()

    @property
    def behind(self) -> int:
        """How many messages are known of that were not read."""
        return len(self.inbox) + sum(room.missing for room in self._rooms.values())

    @property
    def unsent(self) -> int:
        """How many messages were sent and are not known to be stored."""
        return len(self._outbox) + len(self.uploads)

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
            password=UNSET if self.password is None else self.password,
            rooms={room.name: room.after for room in self._rooms.values() if not room.joins},
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
        self.outlet.close()
        self._questions.close()
        for room in list(self._rooms.values()):
            if room.leaves:  # no answer will come, and we go back to no room that we leave
                self._left(room.name)

    def look(self) -> None:
        """Time passed: what waits for the database without having been told of it is worth another try."""
        if not self.storage_down:
            self._questions.stalled(False)

    def received(self, frame: ServerFrame, body: bytes, say: Say) -> None:
        """Take what the server said on a connection where one answers by ``say``; raises :class:`BadFrame`."""
        match frame:
            case frames.Message() if self.live:
                self._message(frame, body)
            case frames.Ack() if self.live:
                self._outbox.stored(frame.seq, frame.id)
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
            case frames.Users() | frames.RoomList() | frames.Piece() | frames.Text():
                self._questions.part(frame.ref, frame, body)
            case frames.Resumed() | frames.Done():
                self._questions.done(frame.ref, frame)
            case frames.Joined():
                self._open_room(frame.room, frame.first_id, frame.last_id)
            case frames.Left():
                self._left(frame.room)
            case frames.Deleted():
                self.inbox.delete(frame.room, frame.id)
                self.listener.deleted(frame.room, frame.id, frame.by)
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
            return self._refused(room, None) or self._send_long(body, room)
        sending = Sending(room, body, self._kept.keep(lambda entry: kept.Text(entry, room, text)))
        self._outbox.put(sending)
        self.outlet.produce()
        return sending.stored.addErrback(self._withdrawn, sending)

    def _withdrawn(self, failure: Failure, sending: Sending) -> Failure:
        if failure.check(CancelledError):
            self._outbox.withdraw(sending)
        return failure

    def send_file(self, path: str, room: str, name: str, progress: Progress | None) -> Deferred[int | None]:
        """Send a file; see :meth:`cli.client.Client.send_file`."""
        return self._refused(room, name) or self.uploads.file(path, room, name, progress)

    def send_stream(
        self, read: Callable[[int], bytes], room: str, name: str | None, progress: Progress | None
    ) -> Deferred[int | None]:
        """Send what is read; see :meth:`cli.client.Client.send_stream`."""
        return self._refused(room, name) or self.uploads.stream(read, room, name, progress)

    def _refused(self, room: str, name: str | None) -> Deferred[int | None] | None:
        """Refuse what the server would refuse at the end of an upload."""
        if self._closed is not None:
            return fail(self._closed)
        if fold(room) not in self._rooms:
            return fail(SendRefused("not_in_room", f"not in {room}"))
        try:
            if name is not None:
                file_name(name)
        except BadName as why:
            return fail(SendRefused("bad_name", str(why)))
        except UnicodeEncodeError:
            return fail(SendRefused("bad_name", "the name is no text"))
        return None

    def quit(self) -> None:
        """Leave as soon as all texts are said; what else is being uploaded is not waited for."""
        self._leaving = True
        if not self._texts:
            self.outlet.quit()

    def _send_long(self, body: bytes, room: str) -> Deferred[int | None]:
        def ended(result: T) -> T:
            self._texts -= 1
            if self._leaving:
                self.quit()
            return result

        self._texts += 1
        return self.uploads.text(body, room).addBoth(ended)

    def join(self, name: str, after: int | None, history: int | None) -> Deferred[None]:
        """Be in a room from now on; errback :class:`AskRefused`. Without a connection it is asked behind the login."""
        if self._closed is not None:
            return fail(self._closed)
        try:
            room_name(name)  # a wrong one would spoil the next login
        except BadName as why:
            return fail(AskRefused("bad_name", str(why)))
        history = history if self.inbox.keep else 0
        room = self._rooms.setdefault(fold(name), Room(name, after, history))
        if room.quiet:
            room.begin(after, history)
        elif room.opened:
            return succeed(None)
        joined: Deferred[None] = Deferred()
        room.joins.append(joined)
        if self._say is not None:
            self._say(_join(room), b"")
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

    def search(self, room: str, query: str, limit: int, before: int | None) -> Deferred[Found]:
        """Ask for messages that hold the words of ``query``; see :meth:`cli.client.Client.search`."""
        try:
            query.encode()
        except UnicodeEncodeError:
            return fail(AskRefused("bad_frame", "this is no text"))
        found = Found([])
        number = UNSET if before is None else before
        return self._questions.ask(
            lambda ref: frames.Search(query=query, limit=limit, ref=ref, room=room, before=number), found, found.take
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

    def delete(self, room: str, id: int) -> Deferred[None]:
        """Ask to have a message deleted."""
        return self._questions.ask(lambda ref: frames.Delete(id=id, ref=ref, room=room), None, lambda *_: None)

    def run(self, line: str, room: str) -> Deferred[list[str]]:
        """Give the server an order; see :meth:`cli.client.Client.run`."""
        try:
            line.encode()
        except UnicodeEncodeError:
            return fail(AskRefused("bad_frame", "this is no text"))
        texts: list[str] = []
        return self._questions.ask(
            lambda ref: frames.Run(line=line, ref=ref, room=room),
            texts,
            lambda frame, body: texts.append(body.decode(errors="replace")) if isinstance(frame, frames.Text) else None,
        )

    def register(self, password: str, old: str | None) -> Deferred[None]:
        """Ask for an account, or for another password; see :meth:`cli.client.Client.register`."""

        def registered(_: None) -> None:
            self.password = password

        until_now = UNSET if old is None else old
        return self._questions.ask(
            lambda ref: frames.Register(password=password, ref=ref, old=until_now), None, lambda *_: None
        ).addCallback(registered)

    def close(self, why: ClientClosed) -> None:
        """The client ends: whoever waits for something waits in vain, and what is asked from now on is refused."""
        self._closed = why
        self._kept.close()
        self.inbox.close(why)
        self.uploads.close(why)
        self.downloads.close(why)
        self._outbox.abandon(why)
        for room in self._rooms.values():
            _errback(room.joins, why)
            _errback(room.leaves, why)

    # What an earlier run of the program sent and did not know to be stored.

    def _take_up(self) -> None:
        left, self._kept.left = self._kept.left, []
        for entry, number in left:
            if isinstance(entry, kept.Stream):
                self.uploads.forget(entry.upload, entry.entry)
                continue
            what = entry.name if isinstance(entry, kept.File) else entry.text[:SHOWN]
            self._rooms.setdefault(fold(entry.room), Room(entry.room, None, None, quiet=True))
            stored = self._resend(entry, number).addErrback(self._not_resent, what)
            self._resending.append((entry.room, what, number, stored))

    def _resend(self, entry: kept.Text | kept.File, number: int | None) -> Deferred[int | None]:
        if entry.upload is not None:
            return self.uploads.restore(entry, entry.upload, number)
        assert isinstance(entry, kept.Text)
        sending = Sending(entry.room, entry.text.encode(), entry.entry)
        self._outbox.restore(sending, number)
        return sending.stored

    def _not_resent(self, failure: Failure, what: str) -> None:
        failure.trap(SendRefused, ClientClosed)
        if isinstance(failure.value, SendRefused):
            self.listener.notice(failure.value.code, f"not sent: {what}: {failure.value.text}")

    def _tell_of_left(self, received: int) -> None:
        left, self._resending = self._resending, []
        for room, what, number, stored in left:
            if not stored.called and (number is None or number > received):  # else it arrived, and is only asked about
                self.listener.resent(room, what)

    # What the server says.

    def _welcome(self, frame: frames.Welcome, say: Say) -> None:
        self.live = True
        self.user = frame.user
        self.ping_every = min(max(frame.ping_every, 1), 3600)
        self._say = say
        for room in self._rooms.values():
            if room.joins:  # not by the login: one that is closed to us would keep us out of all
                say(_join(room), b"")
        self._outbox.open(frame.received)
        self.outlet.open(say)
        self._questions.open(say)  # what waited for that goes on at once, and may ask the outlet for a turn
        for name, span in frame.rooms.items():
            self._open_room(name, span.first_id, span.last_id)
        self.uploads.open()
        self._tell_of_left(frame.received)

    def _open_room(self, name: str, first_id: int, last_id: int) -> None:
        if len(self._rooms) >= ROOMS and fold(name) not in self._rooms:
            raise BadFrame("the server has too many rooms")
        room = self._rooms.setdefault(fold(name), Room(name, None, None, quiet=not self._unasked))
        room.open(name, first_id, last_id)
        if room.quiet and room.joins:  # what is wanted of before is no news to the server: it has to be asked for
            room.quiet, room.passed = False, last_id
            self._gaps[fold(name)] = room
        joins, room.joins = room.joins, []
        for joined in joins:
            joined.callback(None)
        if not room.quiet:
            self.listener.room_opened(name, first_id, last_id)

    def _left(self, name: str) -> None:
        room = self._rooms.pop(fold(name), None)
        self._gaps.pop(fold(name), None)
        if room is None:
            return
        if not room.leaves:
            self.listener.room_left(room.name)
        for left in room.leaves:
            left.callback(None)
        _errback(room.joins, AskRefused("not_in_room", f"left {name}"))

    def _message(self, frame: frames.Message, body: bytes) -> None:
        if frame.ref is not UNSET:
            self._questions.part(frame.ref, frame, body)
            return
        room = self._rooms.get(fold(frame.room))
        if room is not None and not room.quiet:
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
            self._questions.stalled(self.storage_down)
        self.listener.notice(frame.code, frame.text)

    def _error(self, frame: frames.Error) -> None:
        if not self.live:
            self.refusal = LoginRefused(frame.code, frame.text)
        elif frame.seq is not UNSET:
            self._outbox.refused(frame.seq, frame.code, frame.text)
        elif frame.ref is not UNSET:
            self._questions.refused(frame.ref, frame.code, frame.text)
        elif frame.fatal is True:
            self.fault = frame.text
        elif frame.upload is not UNSET:
            self.uploads.refused(frame.upload, frame.code, frame.text)
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


@dataclass(slots=True)
class Found:
    """What a search found: ``hits``, ascending, and ``before`` which id to ask on; None where all was looked at."""

    hits: list[Message]
    before: int | None = None

    def take(self, frame: Frame, body: bytes) -> None:
        """Take one hit, or the end."""
        if isinstance(frame, frames.Message):
            self.hits.append(_message(frame, body))
        elif isinstance(frame, frames.Done) and frame.before is not UNSET:
            self.before = frame.before


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


def _join(room: Room) -> frames.Join:
    return frames.Join(room=room.name, after=room.after, history=UNSET if room.history is None else room.history)


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
