"""The server: the registry of its connections, users and rooms, and what happens to all of them at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from math import ceil
from time import time
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as TooLate
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from server.accounts import Accounts
from server.addresses import Addresses
from server.cleaning import Cleaning
from server.complaints import Complaints
from server.connection import Connection
from server.folding import Folding
from server.following import Following
from server.journal import Failed, InThread, Journal
from server.limits import Allowed, Limits
from server.orders.one_by_one import OneByOne
from server.passwords import Passwords
from server.people import People
from server.refusals import Refused
from server.room import Room
from server.rooms import Rooms
from server.rules import Rules, because
from server.search import Searches
from server.sending import Sending
from server.sockets import unacknowledged_for
from server.stored import Stored
from server.talks import Talks
from server.turns import REST, NextTurn, Turns
from server.uploads import Uploads
from storage.changes import Called, Change, Deleted, Kicked, Registered, Replaced, Ruled
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
    Presence,
    Refusal,
    Return,
    Role,
    StorageDown,
)
from storage.order import Act, Expel, Kind, Ruling, Sanction
from wire import frames
from wire.frames import encode
from wire.names import fold

LOGIN_WITHIN: Final = 30.0  # seconds from the connection on
LEAVING: Final = 0.5  # seconds of the grace time that the process itself needs to end
LEAVE_AT_ONCE: Final = 8  # connections whose ends are seen to before others have their turn: a millisecond of work
PAUSE: Final = 0.01  # seconds, behind some newcomers, for those who talk: most of the work is done for who is in
PAUSES: Final = 3  # of them where as many go as come
TOLD: Final = 32  # connections that are told at once that there is no place: they are open files too


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """What :meth:`Server.check_conn` finds: ``alive``, seconds of silence, and messages to go in each room."""

    alive: bool
    silent_for: float
    behind: dict[str, int]


class Server(Factory):
    """All connections, and the rooms that they are in.

    ``in_writer`` and ``in_reader`` call a function with arguments in a storage thread and return a Deferred,
    ``in_hasher`` in one that passwords are hashed in; ``people`` is shared with threads that rest while these talk.
    Times are in seconds, sizes in bytes; ``history`` is how many messages a client is given that does not say.
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
        auth: Auth = Auth.OPEN,
        people: People | None = None,
        in_searcher: InThread | None = None,
        in_hasher: InThread | None = None,
        allowed: Allowed = Allowed(),  # noqa: B008 — it cannot be changed
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
        self.stored = Stored(storage, in_reader, clock)
        self.rooms = Rooms(self.stored, storage.neighbours, lambda opening: self.journal.ask(opening), clock)
        self._people = people or People(clock)
        self.journal = Journal(
            storage, in_writer, clock, self._people, self.rooms.encode, self._publish, self._storage_changed
        )
        self.uploads = Uploads(clock, self.journal.wake)
        self.journal.add_bulk(self.uploads)
        self.limits = Limits(allowed, partial(in_reader, storage.size), clock)
        self.addresses = Addresses(clock, allowed.max_per_address, allowed.logins_per_minute)
        self.complaints = Complaints(clock)
        self.turns = Turns(clock)  # at what contents are given
        self.reading = Turns(clock, 1, REST)  # at what is said in many frames
        self.folding = Folding(clock)
        self.leaving = Turns(clock, LEAVE_AT_ONCE)
        self.next_turn = NextTurn(clock)
        self.searches = Searches(partial(in_searcher or in_reader, storage.search), self.stored.some, clock)
        self._cleaning = Cleaning(storage, in_writer, lambda: self.journal.down, clock)
        self.answering: defaultdict[Sending, list[bytes]] = defaultdict(list)  # of the batch that is being answered
        self.given = 0  # the ids at which cursors that are gone ended, less those at which all began
        self._connections: set[Connection] = set()
        self._turned_away: set[Connection] = set()  # for want of a place, and not gone yet
        self._has_come = self._has_gone = False  # somebody, since the last ones were let in
        self._users: dict[str, list[Connection]] = {}  # by folded name
        passwords = Passwords(in_hasher or in_reader)
        self.accounts = Accounts(auth, self.stored.account, passwords, self.journal.ask, clock)
        self.talks = Talks(auth, self.stored, self.rooms, lambda user: self._users.get(user, ()))
        self._following = Following(self, storage.neighbours, storage.shared, in_writer, in_reader, clock)
        self.one_by_one = OneByOne()  # what is ordered
        self._bans: list[Sanction] = []
        self.rules = Rules(storage, self.stored.until_read, self._rules_changed)
        self._numbers = count(1)  # of the connections that log in
        self._is_returning = False
        self._stopping = False
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
            self._has_come = True
            self.addresses.came(connection.network)

    def turn_of_who_is_in(self) -> float:
        """Return for how many seconds nobody more is to be let in.

        While people talk that is a moment, and a longer one where others go meanwhile: of those who come back after a
        restart nobody does, but who guesses passwords comes again and again. Who is turned away costs nobody a place.
        """
        pauses = (PAUSES if self._has_gone else 1) if self._people.talk and self._has_come else 0
        self._has_come = self._has_gone = False
        return pauses * PAUSE

    def _check_place(self, connection: Connection) -> None:
        """Raise :class:`Refused` where there is no place for it."""
        self.rules.check_address(connection.host)
        if len(self._connections) >= self.max_clients:
            raise Refused("too_many", "the server is full; try again later")
        self.addresses.check(connection.network)

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
            self._has_gone = True
            self._connections.remove(connection)
            self.addresses.went(connection.network)
        if self._closed is not None and not self._connections and not self._closed.called:
            self._closed.callback(None)

    def dismiss(self, connection: Connection) -> None:
        """Let a connection go: its rooms go on without it, and its name is free if no other one has it."""
        connection.joining.leave_all()
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
            if outcome.code == "name_taken":
                self.rules.check_user(name)  # who was just thrown out may not have left everywhere
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
        login = connection.login
        if login is None:
            return  # it is gone, and its name is free
        await self.addresses.turn(connection.network)
        account = await self.accounts.register(connection, login, password, old, connection.network)
        self._registered(account)

    def _registered(self, account: Account) -> None:
        for connection in self._users.get(account.user, []):
            if connection.login is not None:
                connection.login = replace(connection.login, account=account)

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
        rooms = self.rooms.all()
        for room in rooms:
            room.moved()
        present = [(room.key, user) for room in rooms for user in room.here]
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
                self.rooms.know(change.name)
                self.rooms.elsewhere.move(server, change.room, change.came, change.went)
            case Replaced():
                # Behind what is being stored: it may be the login of the one that is replaced.
                self.journal.put(Beat(), lambda _: self._replace(change.user, change.client, change.epoch))
            case Deleted():
                self._delete(change)
            case Registered():
                self._registered(Account(change.name, Role(change.role), change.created_at))
            case Kicked():
                # Behind what is being stored: it may be the login of who is to go.
                self.journal.put(Beat(), lambda _: self._kick(change))
            case Ruled():
                self.rules.reread()
            case Called():
                self.talks.call(change.talk, change.id)
            case None:
                self._log.warn("another server is newer and said something that this one does not know")

    def tell_others(self, room: Room) -> None:
        """Tell the other servers who came here and who left."""
        came, went = room.moved() if self.storage.shared else ([], [])
        if came or went:
            self.journal.put(Presence(room.key, room.name, came, went), lambda _: None)

    def _delete(self, change: Deleted) -> None:
        self.stored.contents.forget(lambda place: place[:2] == (change.room, change.id))
        for room in self.rooms.get(change.room):
            room.delete(change.id, change.by)

    async def delete(self, room: Room, id: int, by: str, own_since: int | None = None, act: Act | None = None) -> None:
        """Take the content of a message away; see :class:`storage.Delete`. Raises :class:`Refused`, :class:`Failed`."""
        outcome = await self.journal.ask(Delete(room.key, id, by, own_since, act))
        if isinstance(outcome, Refusal):
            raise Refused(outcome.code, outcome.text)
        if act is not None:
            self._note(act)
        self._delete(Deleted(room.key, id, by))

    # -- keeping order

    async def rule(self, ruling: Ruling) -> None:
        """Do what somebody ordered, here and by the database everywhere; raises :class:`Failed`."""
        await self.journal.ask(ruling)
        self._note(ruling.act)
        for deed in ruling.deeds:
            if isinstance(deed, Expel):
                self._kick(deed.change)
        await self.rules.reread()

    def _note(self, act: Act) -> None:
        self._log.info("{by} ordered: {order} {whom} {room}", by=act.by, order=act.order, whom=act.whom, room=act.room)

    def _kick(self, kicked: Kicked) -> None:
        for connection in list(self._users.get(kicked.user, [])):
            mark = connection.account.mark if connection.account is not None else b""
            if kicked.spared is None or kicked.spared != mark:
                connection.throw_out(f"kicked{because(kicked.reason)}")
        if kicked.spared == b"":  # there is no such account any more
            self.rooms.disown(kicked.user)
            for connection in self.get_all():
                connection.joining.end_talk(kicked.user)

    def _rules_changed(self) -> None:
        """Have all obey who may be concerned: all where the bans are others, else who is in private rooms."""
        before, self._bans = self._bans, self.rules.sanctions(Kind.BAN)
        if self._bans != before:
            for connection in self.get_all():
                connection.obey()
            return
        private = [room for room in self.rooms.all() if self.rules.invited(room.name) is not None]
        for user in {fold(user) for room in private for user in room.here}:
            for connection in list(self._users.get(user, ())):
                connection.obey()

    def now(self) -> int:
        """Return the time in milliseconds since 1970-01-01 UTC."""
        return int(time() * 1000)

    def _publish(self, messages: dict[int, tuple[int, list[bytes]]]) -> None:
        """A batch is stored: acknowledge it, and show its messages."""
        answering, self.answering = self.answering, defaultdict(list)
        for sending, answers in answering.items():
            sending.flush(answers)
        self.rooms.append(messages)

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
        for room in self.rooms.all():
            room.tell_presence()
            if not room.cursors:
                self.tell_others(room)
                self.rooms.forget(room)

    def _look_after(self, connection: Connection, now: float) -> None:
        if connection.is_gone:
            return  # what came from it is being stored, or it has a moment to close
        if not connection.logged_in:
            if now - connection.connected_at >= LOGIN_WITHIN and not connection.is_logging_in:
                connection.end_with_error("not_logged_in", "no login came in time")
        elif now - connection.heard_at >= self._ping:
            if not self.check_conn(connection).alive:
                connection.end("idle")
            elif now - connection.pinged_at >= self._ping and connection.outlet.clear:
                connection.pinged_at = now
                connection.write(frames.Ping())
