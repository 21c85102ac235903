"""The server: the registry of its connections, users and rooms, and what happens to all of them at once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from math import ceil
from time import time
from typing import Any, Final

from twisted.internet.defer import Deferred, DeferredLock, gatherResults
from twisted.internet.defer import TimeoutError as TooLate
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory
from twisted.internet.task import LoopingCall, deferLater
from twisted.logger import Logger

from server.accounts import Accounts
from server.addresses import Addresses
from server.budget import PLACE
from server.catching_up import CatchingUp
from server.cleaning import Cleaning
from server.complaints import Complaints
from server.connection import Connection
from server.elsewhere import Elsewhere
from server.following import Following
from server.journal import Failed, InThread, Journal
from server.limits import Limits
from server.log import Segment
from server.pages import STEP, Pages, read_page
from server.passwords import Passwords
from server.refusals import Refused
from server.room import Room
from server.rules import Rules, because
from server.search import Searches
from server.sending import Sending
from server.shelf import Shelf
from server.sockets import unacknowledged_for
from server.turns import NextTurn, Turns
from server.uploads import Uploads
from storage.changes import Change, Deleted, Kicked, Registered, Replaced, Ruled
from storage.changes import Presence as Moved
from storage.interface import (
    Account,
    Auth,
    Beat,
    Delete,
    IStorage,
    LoggedIn,
    Login,
    Logout,
    Message,
    Open,
    Presence,
    Refusal,
    Return,
    Role,
    Send,
    StorageDown,
    UploadKey,
)
from storage.interface import Room as StoredRoom
from storage.order import Act, Expel, Ruling
from wire import frames
from wire.frames import MAX_ROOMS, encode
from wire.names import fold

TAILS: Final = 48 * 1024 * 1024  # bytes of all rooms' tails; with the pages less than 64 MiB
CONTENTS: Final = 16 * 1024 * 1024  # bytes of contents kept: of 64 different ones what one reading gives
LOGIN_WITHIN: Final = 30.0  # seconds from the connection on
LEAVING: Final = 0.5  # seconds of the grace time that the process itself needs to end
TOLD: Final = 32  # connections that are told at once that there is no place: they are open files too
READ_AGAIN: Final = 1.0  # seconds between attempts while the database is away


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """What :meth:`Server.check_conn` finds: ``alive``, seconds of silence, and messages to go in each room."""

    alive: bool
    silent_for: float
    behind: dict[str, int]


class Server(Factory):
    """All connections, and the rooms that they are in.

    ``in_writer`` and ``in_reader`` call a function with arguments in a storage thread and return a Deferred,
    ``in_hasher`` in one that passwords are hashed in. Times are in seconds, sizes in bytes; ``history`` is how many
    messages a client is given that does not say.
    """

    noisy = False
    title = "console-chat"
    _log = Logger()

    def __init__(
        self,
        storage: IStorage,
        in_writer: InThread,
        in_reader: InThread,
        clock: IReactorTime,
        *,
        history: int = 100,
        max_clients: int = 10_000,
        grace: float = 5.0,
        ping: float = 30.0,
        max_message: int | None = None,
        max_storage: int | None = None,
        auth: Auth = Auth.OPEN,
        in_hasher: InThread | None = None,
        max_rooms: int = MAX_ROOMS,
        max_uploads: int = 100,
        message_rate: float | None = None,
        byte_rate: int | None = None,
        max_per_address: int = 1_000,
        logins_per_minute: int = 600,
    ) -> None:
        self.clock = clock
        self.history = history
        self.max_clients = max_clients
        self.grace = grace
        self.ping_every = ceil(ping)
        self._ping = ping
        self.storage = storage
        self._in_writer = in_writer
        self._in_reader = in_reader
        self.journal = Journal(storage, in_writer, clock, self._encode, self._publish, self._storage_changed)
        self.uploads = Uploads(clock, self.journal.wake)
        self.journal.add_bulk(self.uploads)
        self.limits = Limits(
            max_message,
            max_storage,
            partial(in_reader, storage.size),
            clock,
            max_rooms=max_rooms,
            max_uploads=max_uploads,
            message_rate=message_rate,
            byte_rate=byte_rate,
        )
        self.addresses = Addresses(clock, max_per_address, logins_per_minute)
        self.complaints = Complaints(clock)
        self.contents: Shelf[tuple[int, int, int], bytes] = Shelf(self._read_content, _kept, CONTENTS)
        self._reading_contents = DeferredLock()  # one at a time: the other threads read what was said
        self.turns = Turns(clock)
        self.next_turn = NextTurn(clock)
        self.searches = Searches(partial(in_reader, storage.search), self._read_hits, clock)
        self._cleaning = Cleaning(storage, in_writer, lambda: self.journal.down, clock)
        self.answering: list[Sending] = []  # who has answers gathered of the batch being answered
        self.given = 0  # the ids at which cursors that are gone ended, less those at which all began
        self._connections: set[Connection] = set()
        self._turned_away: set[Connection] = set()  # for want of a place, and not gone yet
        self._users: dict[str, list[Connection]] = {}  # by folded name
        self._rooms: dict[str, Room] = {}  # by folded name
        self._by_key: dict[int, Room] = {}
        self._opening: dict[str, list[Deferred[None]]] = {}
        self._known: set[str] = set()  # folded names of all rooms there are
        self._pages = Pages(self._read_page)
        self._tails: OrderedDict[Room, int] = OrderedDict()  # bytes, the least used room first
        self.elsewhere = Elsewhere(self._will_change)
        self._catching_up = CatchingUp(self._read_missing, self._bound_tails, self._is_open, clock)
        passwords = Passwords(in_hasher or in_reader)
        self.accounts = Accounts(auth, self.find_account, passwords, self.journal.ask, clock)
        self._following = Following(self, storage.neighbours, storage.shared, in_writer, in_reader, clock)
        self.rules = Rules(storage, self._until_read, self._rules_changed)
        self._numbers = count(1)  # of the connections that log in
        self._is_returning = False
        self._stopping = False
        self._held = 0  # bytes of them all
        self._sweep = LoopingCall(self._look_after_all)
        self._sweep.clock = clock
        self._closed: Deferred[None] | None = None

    # -- life

    def start(self) -> None:
        """Begin to look after the connections, and after the storage."""
        self.limits.start()
        self._cleaning.start()
        self._sweep.start(min(1.0, self._ping / 4), now=False).addErrback(
            lambda failure: self._log.failure("the sweep stopped", failure)
        )
        self.put_back()
        self.rules.reread()
        self._following.start()

    async def stop(self) -> bool:
        """End every connection: what was received is stored first, then all are told, then slow ones have time.

        Takes ``grace`` seconds at the most. Returns whether everything was stored.
        """
        began = self.clock.seconds()
        self.accounts.stop()
        self.addresses.let_all_in()
        self.limits.stop()
        self._cleaning.stop()
        self._following.stop()
        stored = await self._at_most(self.grace / 2, Deferred.fromCoroutine(self._all_stored()))
        self._stopping = True
        for connection in self.get_all():
            connection.end("shutdown")
        if self._connections:
            self._closed = Deferred()
            end = began + max(self.grace - LEAVING, self.grace / 2)
            await self._at_most(max(0.0, end - self.clock.seconds()), self._closed)
        for connection in self.get_all():
            connection.abort()
        if self._sweep.running:
            self._sweep.stop()
        if stored and self.storage.shared:
            stored = await self._at_most(LEAVING, Deferred.fromCoroutine(self._leave()))
        return stored

    async def _leave(self) -> None:
        """Let the names of who was here be free at once, on the other servers too."""
        try:
            await self._in_writer(self.storage.neighbours.leave)
        except StorageDown:
            return  # we are forgotten in a few seconds

    async def _all_stored(self) -> None:
        """Read nothing more, and return when what was read is stored."""
        for taken in [connection.intake.shut() for connection in self.get_all()]:
            await taken
        await self.journal.idle()

    async def _at_most(self, seconds: float, event: Deferred[None]) -> bool:
        try:
            await event.addTimeout(seconds, self.clock)
        except TooLate:
            return False
        return True

    # -- connections

    def buildProtocol(self, addr: IAddress | None) -> Connection:  # noqa: ARG002
        """Twisted's name for :meth:`accept`."""
        return self.accept()

    def accept(self) -> Connection:
        """Make the server's end of a new connection; it registers itself when it is made."""
        connection = Connection(self)
        connection.factory = self
        return connection

    def add_conn(self, connection: Connection) -> None:
        """Take a connection into the registry, or refuse it where there are too many."""
        try:
            self._check_place(connection)
        except Refused as refused:
            self._turn_away(connection, refused)
        else:
            self._connections.add(connection)
            self.addresses.came(connection.network)

    def _check_place(self, connection: Connection) -> None:
        """Raise :class:`Refused` where there is no place for it."""
        self.rules.check_address(connection.host)
        if len(self._connections) >= self.max_clients:
            raise Refused("too_many", "the server is full; try again later")
        if not self.addresses.has_room(connection.network):
            raise Refused("too_many", "too many connections from your address; close some of them")

    def _turn_away(self, connection: Connection, why: Refused) -> None:
        """Say why there is no place; where many come who have none, not to all: each takes an open file to tell."""
        if len(self._turned_away) < TOLD:
            self._turned_away.add(connection)
            connection.end_with_error(why.code, str(why))
        else:
            connection.abort()

    def del_conn(self, connection: Connection) -> None:
        """Forget a connection that is lost."""
        self.dismiss(connection)
        self._turned_away.discard(connection)
        if connection in self._connections:
            self._connections.remove(connection)
            self.addresses.went(connection.network)
        if self._closed is not None and not self._connections and not self._closed.called:
            self._closed.callback(None)

    def dismiss(self, connection: Connection) -> None:
        """Let a connection go: its rooms go on without it, and its name is free if no other one has it."""
        connection.leave_all()
        self.free_name(connection)

    def free_name(self, connection: Connection) -> None:
        """Let the connection's name go, if no other one has it."""
        self.accounts.forget(connection)
        login, connection.login = connection.login, None
        if login is None:
            return
        login.gone = True
        others = self._users.get(login.user, [])
        if connection in others:
            others.remove(connection)
            if not others:
                del self._users[login.user]
        if not self._stopping:
            self.journal.put(Logout(login.number), lambda _: None)

    def get_all(self) -> list[Connection]:
        """Return all connections, logged in or not."""
        return list(self._connections)

    def check_conn(self, connection: Connection) -> ConnectionState:
        """Say whether a connection's peer is there, and how far behind it is.

        Gone is one from which no byte came for three times the ping's interval, and whose machine left unanswered what
        was sent to it, for as long. One that only does not read is slow.
        """
        silent_for = self.clock.seconds() - connection.heard_at
        limit = 3 * self._ping
        gone = connection.lost or (silent_for > limit and unacknowledged_for(connection.transport) > limit)
        behind = {cursor.room.name: cursor.room.last_id - cursor.id for cursor in connection.cursors.values()}
        return ConnectionState(not gone, silent_for, behind)

    @property
    def deliveries(self) -> int:
        """How many messages were given to clients so far, which is seen from where their cursors stand."""
        return self.given + sum(cursor.id for connection in self._connections for cursor in connection.cursors.values())

    # -- users

    async def log_in(
        self, connection: Connection, name: str, account: Account | None, key: bytes | None, client: bytes | None
    ) -> LoggedIn:
        """Give ``connection`` the user ``name``, and end the older connections of the same client.

        Raises :class:`Refused` where somebody else is called so, or has the account of that name, :class:`Failed`.
        """
        login = Login(name, client, key, next(self._numbers), connection.lost, self.accounts.auth, account)
        connection.login = login
        outcome = await self.journal.ask(login)
        if isinstance(outcome, Refusal):
            connection.login = None
            raise Refused(outcome.code, outcome.text)
        logged_in: LoggedIn = outcome
        connection.sending.begin(logged_in)
        if connection.login is not None:  # it was not lost meanwhile
            connection.login = replace(connection.login, name=logged_in.name)
            self._users.setdefault(connection.login.user, []).append(connection)
        if logged_in.sender is not None:
            self._replace(logged_in.sender.user, logged_in.sender.client, logged_in.sender.epoch)
        return logged_in

    async def register(self, connection: Connection, password: str, old: str | None) -> None:
        """Give the user of ``connection`` an account, or change its password; raises :class:`Refused`, Failed."""
        account = await self.accounts.register(connection, connection.user, password, old, connection.network)
        self._registered(account)

    def _registered(self, account: Account) -> None:
        for connection in self._users.get(account.user, []):
            if connection.login is not None:
                connection.login = replace(connection.login, account=account)

    async def find_account(self, user: str) -> Account | None:
        """Return the account of a user (folded), None where there is none."""
        account: Account | None = await self._until_read(self.storage.account, user)
        return account

    def _replace(self, user: str, client: bytes, epoch: int) -> None:
        """End the connections of a client that are of an older epoch."""
        for other in list(self._users.get(user, [])):
            if other.login is not None and other.login.client == client and other.sending.epoch < epoch:
                other.end("replaced")

    # -- other servers

    def put_back(self) -> None:
        """Have the other servers know who is here: we begin, or were taken for dead."""
        if self._is_returning:
            return
        self._is_returning = True
        here = [connection for connections in self._users.values() for connection in connections]
        logins = [(connection.login, connection.sending.epoch) for connection in here if connection.login is not None]
        for room in self._rooms.values():
            room.moved()
        present = [(room.key, user) for room in self._rooms.values() for user in room.here]
        self.journal.put(Return(logins, present, self.accounts.auth), partial(self._returned, here))

    def _returned(self, here: Sequence[Connection], gone: Any) -> None:
        self._is_returning = False
        if isinstance(gone, Failed):
            return
        for connection in here:
            why = gone.get(connection.login.number) if connection.login is not None else None
            if why == "replaced":
                connection.end(why)
            elif why is not None:
                connection.end_with_error(why, "somebody else took this name while the database was away from here")

    def hear(self, server: int, change: Change | None) -> None:
        """Do what another process on the database says."""
        match change:
            case Moved():
                self._known.add(fold(change.name))
                self.elsewhere.move(server, change.room, change.came, change.went)
            case Replaced():
                # Behind what is being stored: it may be the login of the one that is replaced.
                self.journal.put(Beat(), lambda _: self._replace(change.user, change.client, change.epoch))
            case Deleted():
                self._delete(change)
            case Registered():
                self._registered(Account(change.name, Role(change.role), change.created_at))
            case Kicked():
                self._kick(change)
            case Ruled():
                self.rules.reread()
            case None:
                self._log.warn("another server is newer and said something that this one does not know")

    def _delete(self, change: Deleted) -> None:
        self.contents.forget(lambda place: place[:2] == (change.room, change.id))
        if room := self._by_key.get(change.room):
            room.delete(change.id, change.by)

    async def delete(self, room: Room, id: int, by: str, own_since: int | None = None, act: Act | None = None) -> None:
        """Take the content of a message away; see :class:`storage.Delete`. Raises :class:`Refused`, :class:`Failed`."""
        outcome = await self.journal.ask(Delete(room.key, id, by, own_since, act))
        if isinstance(outcome, Refusal):
            raise Refused(outcome.code, outcome.text)
        self._delete(Deleted(room.key, id, by))

    # -- keeping order

    async def rule(self, ruling: Ruling) -> None:
        """Do what somebody ordered, here and by the database everywhere; raises :class:`Failed`."""
        await self.journal.ask(ruling)
        act = ruling.act
        self._log.info("{by} ordered: {order} {whom} {room}", by=act.by, order=act.order, whom=act.whom, room=act.room)
        for deed in ruling.deeds:
            if isinstance(deed, Expel):
                self._kick(deed.change)
        await self.rules.reread()

    def _kick(self, kicked: Kicked) -> None:
        for connection in list(self._users.get(kicked.user, [])):
            mark = connection.account.mark if connection.account is not None else b""
            if kicked.spared is None or kicked.spared != mark:
                connection.throw_out(f"kicked{because(kicked.reason)}")

    def _rules_changed(self) -> None:
        for connection in self.get_all():
            connection.obey()

    async def is_here(self, user: str) -> bool:
        """Say whether a user (folded) is logged in, wherever."""
        here: bool = await self._until_read(self.storage.is_here, user)
        return here

    async def audit(self, limit: int) -> list[Act]:
        """Return the newest acts, newest first."""
        acts: list[Act] = await self._until_read(self.storage.audit, limit)
        return acts

    def open_now(self) -> list[Room]:
        """Return the rooms that somebody here is in."""
        return list(self._rooms.values())

    def rooms_found(self, rooms: Sequence[StoredRoom]) -> None:
        """These are all the rooms there are; in those that are open here anything may have changed."""
        self._known.update(fold(room.name) for room in rooms)
        for room in self._rooms.values():
            room.reread()
        self.rules.reread()

    def found(self, key: int, first_id: int, last_id: int) -> None:
        """A room was looked at: it has messages from ``first_id`` to ``last_id``."""
        if room := self._by_key.get(key):
            room.first_id = max(room.first_id, first_id)
            self._catching_up.lacks(room, last_id)

    def tell_others(self, room: Room) -> None:
        """Tell the other servers who came here and who left."""
        came, went = room.moved() if self.storage.shared else ([], [])
        if came or went:
            self.journal.put(Presence(room.key, room.name, came, went), lambda _: None)

    def _will_change(self, key: int) -> None:
        if room := self._by_key.get(key):
            room.will_change()

    def _is_open(self, room: Room) -> bool:
        return self._by_key.get(room.key) is room

    def _read_missing(self, room: Room, first: int, last: int) -> Deferred[tuple[int, list[bytes]]]:
        return self._read_of(room, self._messages, room.key, room.name, first, last)

    # -- rooms

    def is_room(self, name: str) -> bool:
        """Say whether there is a room of that name, wherever."""
        return fold(name) in self._known

    async def open_rooms(self, names: Sequence[str], by: str | None = None) -> list[Room]:
        """Return the rooms of these names, made where there are none, ``by`` an account; raises :class:`Failed`."""
        # A room that was here may have left memory while another one was looked for: then it is looked for again.
        while missing := [name for name in names if fold(name) not in self._rooms]:
            await gatherResults([self._open(name, by) for name in missing])
        return [self._rooms[fold(name)] for name in names]

    async def room_up_to(self, name: str, id: int, by: str | None = None) -> Room:
        """Return a room that has message ``id``, which a client says to have, unless there is no such message.

        It may have got it from another server, of which we have not heard yet.
        """
        [room] = await self.open_rooms([name], by)
        if id > room.last_id:
            found: StoredRoom = await self.journal.ask(Open(name))  # under its lock: nobody can be ahead of that
            while room.last_id < min(id, found.last_id):
                self._catching_up.lacks(room, found.last_id)
                await self._catching_up.more(room)
                [room] = await self.open_rooms([name])
        return room

    def _open(self, name: str, by: str | None) -> Deferred[None]:
        """Load one room, once, however many ask."""
        opened: Deferred[None] = Deferred()
        waiting = self._opening.setdefault(fold(name), [])
        waiting.append(opened)
        if len(waiting) == 1:
            self.journal.ask(Open(name, by)).addCallback(self._opened).addBoth(self._tell_opened, fold(name))
        return opened

    def _opened(self, found: StoredRoom) -> None:
        elsewhere = self.elsewhere.users(found.key)
        room = Room(found.key, found.name, found.first_id, found.last_id, self._pages, elsewhere, found.owner)
        self._rooms[room.folded] = self._by_key[room.key] = room
        self._known.add(room.folded)
        self._following.look_again()

    def _tell_opened(self, result: Any, name: str) -> None:
        for opened in self._opening.pop(name):
            opened.callback(result)

    def list_rooms(self, account: Account | None) -> Deferred[dict[str, frames.RoomInfo]]:
        """Return all rooms that somebody may be in, by name; errback :class:`StorageDown`."""
        return self._in_reader(self.storage.rooms).addCallback(self._listed, account)

    def _listed(self, found: Sequence[StoredRoom], account: Account | None) -> dict[str, frames.RoomInfo]:
        return dict(self._info(room) for room in found if self.rules.lets(account, room.name))

    def _info(self, room: StoredRoom) -> tuple[str, frames.RoomInfo]:
        here = self._by_key.get(room.key)
        if here is None:
            return room.name, frames.RoomInfo(room.first_id, room.last_id, len(self.elsewhere.users(room.key)))
        first_id, last_id = max(room.first_id, here.first_id), max(room.last_id, here.last_id)
        return here.name, frames.RoomInfo(first_id, last_id, len(here.users))

    # -- messages

    def now(self) -> int:
        """Return the time in milliseconds since 1970-01-01 UTC."""
        return int(time() * 1000)

    def _encode(self, send: Send, stored: int | Message) -> bytes | None:
        """In the writing thread: the bytes of a message that was just stored; None where nobody is in the room."""
        room = self._by_key.get(send.room)
        if room is None:
            return None
        if isinstance(stored, Message):
            return _encoded(stored, room.name, None)
        return encode(frames.Message(room.name, stored, send.by, send.at), send.text.encode())

    def _publish(self, messages: dict[int, tuple[int, list[bytes]]]) -> None:
        """A batch is stored: acknowledge it, and show its messages."""
        answering, self.answering = self.answering, []
        for sending in answering:
            sending.flush()
        for key, (first_id, encoded) in messages.items():
            room = self._by_key.get(key)
            if room is not None and room.append(first_id, encoded):
                self._bound_tails(room)
            elif room is not None:  # others stored some before
                self._catching_up.lacks(room, first_id + len(encoded) - 1)

    def _bound_tails(self, used: Room) -> None:
        self._held += used.tail.size - self._tails.pop(used, 0)
        self._tails[used] = used.tail.size
        while self._held > TAILS:
            room, size = self._tails.popitem(last=False)
            room.tail.trim(0)
            self._held -= size

    def read_for(self, room: Room, ref: int, first: int, last: int) -> Deferred[Segment | None]:
        """Read messages for the question ``ref``; None where none of them is kept; errback :class:`StorageDown`."""
        return self._read_of(room, self._segment, room.key, first, last, room.name, ref)

    def _read_hits(self, room: Room, ref: int, ids: Sequence[int]) -> Deferred[dict[int, bytes]]:
        return self._read_of(room, self._hits, room.key, ids, room.name, ref)

    def _read_of(self, room: Room, function: Callable[..., Any], *args: Any) -> Deferred[Any]:
        """Read messages of a room, again where some of them are not any more what they were."""
        return Deferred.fromCoroutine(self._read_newest(room, function, *args))

    async def _read_newest(self, room: Room, function: Callable[..., Any], *args: Any) -> Any:
        while True:
            edition = room.edition
            found = await self._in_reader(function, *args)
            if room.edition == edition:
                return found

    def _read_page(self, key: int, first: int) -> Deferred[Segment]:
        return Deferred.fromCoroutine(self._page(key, first))

    async def _page(self, key: int, first: int) -> Segment:
        name = self._by_key[key].name
        read = partial(self._messages, key, name)
        while True:
            page: Segment | None = await self._until_read(read_page, read, first)
            if page is not None:
                return page
            for span in await self._until_read(self.storage.neighbours.spans, [key]):
                self.found(*span)
                if span[1] >= first + STEP:  # pruned, of which we had not heard yet
                    return Segment(first, [])
            self._log.error("room {room} has no messages from {first} on", room=name, first=first)
            await deferLater(self.clock, READ_AGAIN)

    def _read_content(self, place: tuple[int, int, int]) -> Deferred[bytes]:
        return self._reading_contents.run(self._in_reader, self.storage.content, *place)

    async def open_uploads(self, user: str, client: bytes) -> int:
        """Return how many uploads of a client are stored and not finished, as soon as the database can be asked."""
        count: int = await self._until_read(self.storage.open_uploads, user, client)
        return count

    async def upload_size(self, upload: UploadKey) -> int:
        """Return how many bytes of an upload are stored, as soon as the database can be asked."""
        size: int = await self._until_read(self.storage.upload_size, upload)
        return size

    async def _until_read(self, function: Callable[..., Any], *args: Any) -> Any:
        """Read in a reading thread, again and again while the database is away."""
        while True:
            try:
                return await self._in_reader(function, *args)
            except StorageDown:
                await deferLater(self.clock, READ_AGAIN)

    def _segment(self, key: int, first: int, last: int, name: str, ref: int | None = None) -> Segment | None:
        """In a reading thread: the messages ``first`` … ``last``, encoded."""
        first_id, messages = self._messages(key, name, first, last, ref)
        return Segment(first_id, messages) if messages else None

    def _messages(self, key: int, name: str, first: int, last: int, ref: int | None = None) -> tuple[int, list[bytes]]:
        found = self.storage.page(key, first, last)
        return found[0].id if found else first, [_encoded(message, name, ref) for message in found]

    def _hits(self, key: int, ids: Sequence[int], name: str, ref: int) -> dict[int, bytes]:
        """In a reading thread: those of the messages that are still there, encoded, by their ids."""
        return {message.id: _encoded(message, name, ref) for message in self.storage.some(key, ids)}

    # -- all at once

    def _storage_changed(self, down: bool) -> None:
        """Tell everybody."""
        if down:
            notice = encode(
                frames.Notice("storage_down", "the database is away; what is sent is stored when it is back")
            )
        else:
            self._cleaning.storage_is_back()
            notice = encode(frames.Notice("storage_up", "the database is back"))
        for connection in self.get_all():
            if connection.logged_in:
                connection.send(notice)
            connection.intake.let_pass()

    def _look_after_all(self) -> None:
        """Ping the silent, close the gone, tell who came and went, forget the empty rooms."""
        now = self.clock.seconds()
        for connection in self.get_all():
            self._look_after(connection, now)
        for room in list(self._rooms.values()):
            room.tell_presence()
            if not room.cursors:
                self.tell_others(room)
                self._forget(room)

    def _look_after(self, connection: Connection, now: float) -> None:
        if connection.lost:
            return  # it goes when what came from it is stored
        if not connection.logged_in:
            if now - connection.connected_at >= LOGIN_WITHIN and not connection.is_logging_in:
                connection.end_with_error("not_logged_in", "no login came in time")
        elif now - connection.heard_at >= self._ping:
            if not self.check_conn(connection).alive:
                connection.end("idle")
            elif now - connection.pinged_at >= self._ping and connection.outlet.clear:
                connection.pinged_at = now
                connection.write(frames.Ping())

    def _forget(self, room: Room) -> None:
        del self._rooms[room.folded], self._by_key[room.key]
        self._held -= self._tails.pop(room, 0)
        self._pages.forget(room.key)


def _kept(content: bytes) -> int:
    return len(content) + PLACE  # also nothing at an end is something


def _encoded(message: Message, room: str, ref: int | None) -> bytes:
    optional: dict[str, Any] = {"size": message.size, "name": message.name, "ref": ref}
    present = {name: value for name, value in optional.items() if value is not None}
    if message.deleted:
        present["deleted"] = True
    return encode(frames.Message(room, message.id, message.sender, message.sent_at, **present), message.text.encode())
