"""The connection for programs, bots and the terminal: log in, read, send, and stay so whatever the network does."""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from secrets import token_urlsafe
from time import time
from typing import Any, Final, TypeVar

from twisted.application.internet import ClientService, backoffPolicy
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure
from zope.interface import implementer

from cli.addresses import Address
from cli.attempts import Threads
from cli.connection import Connection
from cli.in_turn import endpoint
from cli.inbox import Inbox, Message
from cli.refusals import UNTRUSTED, ClientClosed, LoginRefused
from cli.session import Found, Session
from cli.status import Listener, Progress, State, Status
from wire.frames import LOBBY, MAX_PAGE, RoomInfo

STEADY: Final = 30  # seconds after which a connection counts as good, and the pauses between attempts begin anew
NAME_HELD: Final = 120  # seconds that a server may take to see that our last connection is gone, which holds our name
QUIT: Final = 5  # seconds that a server has to acknowledge what was sent, once we leave

_PAUSE: Final = backoffPolicy(initialDelay=0.2, maxDelay=60)  # seconds, and up to one more by chance

# Why a server says `bye`, and whether one comes back.
_BYES: Final = {
    "shutdown": ("the server is shutting down", True),
    "idle": ("the server heard nothing from here", True),
    "protocol": ("the server did not understand", True),
    "quit": ("", True),
    "replaced": ("this program logged in from elsewhere", False),
    "kicked": ("kicked out by an operator", False),
}

T = TypeVar("T")


class Client:
    """A user logged in to a server; made by :meth:`new`.

    Comes back by itself after a lost connection, says again what was not received and goes on in every room where it
    was: each message is read once, in order, and is stored once. It does not come back after `bye` ``replaced`` or
    ``kicked``, nor where it is not let in any more; :meth:`check_status` then says why.
    """

    def __init__(
        self,
        endpoint: IStreamClientEndpoint,
        session: Session,
        reactor: Any,
        pause: Callable[[int], float] = _PAUSE,
        another: Callable[[str], Deferred[str | None]] | None = None,
    ) -> None:
        self._session = session
        self._clock = reactor
        self._connection: Connection | None = None
        self._another = another or session.listener.password  # gives another password, told why
        self._wanted: Deferred[str | None] | None = None  # what it is asked for
        self._pause = pause  # the attempts in a row -> seconds to the next one
        factory = Factory.forProtocol(self._connect)
        factory.noisy = False
        self._service = ClientService(
            _Attempts(endpoint, self._ready, self._trying, self._lost), factory, self._next_pause, clock=reactor
        )
        self.started: Deferred[Client] = Deferred(lambda _: self._stop(""))  # fires at the first `welcome`
        self._ends: list[Deferred[None]] = []
        self._quitting: IDelayedCall | None = None  # the end of our patience, once we have begun to leave
        self._tries = 0
        self._live_at = 0.0  # when we were let in last
        self._lost_at = 0.0  # when a connection that was live ended last
        self._reason = ""
        self._refused = False  # that is what the server said, or why it is not believed
        self._retry_at: float | None = None
        self._phase = State.CONNECTING  # all but BEHIND
        self._shown = State.CONNECTING
        self._since = time()
        self._told: object = None

    @classmethod
    def new(
        cls,
        user: str,
        host: str = "127.0.0.1",
        port: int = 7777,
        *,
        others: Sequence[Address] = (),
        rooms: Mapping[str, int | None] | None = None,
        history: int | None = None,
        key: str | None = None,
        client: str | None = None,
        password: str | None = None,
        read: bool = True,
        outbox: Path | None = None,
        tls: bool = False,
        tls_ca: Path | None = None,
        listener: Listener | None = None,
        reactor: Any = None,
    ) -> Deferred[Client]:
        """Connect and log in; fires at the first `welcome`, and keeps trying until then. Cancelling it gives up.

        Where several servers are one chat, ``others`` are host and port of those besides the first: after a lost
        connection, or where one does not answer, the client goes to the next.

        ``rooms`` maps each room to the last id known of it, None for its newest ``history`` messages (None: as many as
        the server thinks right); left out it is the lobby. ``key`` is the person's secret, ``client`` this program's:
        who keeps it is not doubled even across a restart. ``password`` is that of the user's account, if there is one;
        where it is wrong the ``listener`` is asked. One that does not ``read`` is given no messages.

        ``outbox`` is a file in which what is sent and not known to be stored survives our own crash: the next client
        that is given it, with the same ``client``, sends it, once. It is made where there is none.

        ``tls`` is TLS on all servers, whose certificates must be for their hosts and signed by whom the system trusts,
        or by one of the PEM file ``tls_ca``; raises ValueError where that cannot be used.
        Errback :class:`LoginRefused`, also where the first server is not to be believed.
        """
        if reactor is None:
            from twisted.internet import reactor
        session = Session(
            user,
            Inbox(keep=read),
            rooms=rooms,
            history=history,
            key=key,
            client=token_urlsafe(24) if client is None else client,
            password=password,
            outbox=outbox,
            in_thread=Threads(reactor),
            listener=listener,
        )
        servers = endpoint(reactor, [(host, port), *others], tls=tls, tls_ca=tls_ca)
        return cls(servers, session, reactor).start()

    def start(self) -> Deferred[Client]:
        """Begin to connect; see :meth:`new`. Before that one can send and join, which waits, and ask in vain."""
        self._service.startService()
        return self.started

    def read_msg(self) -> Deferred[Message]:
        """Return the next message: those of a room in their order, each once.

        What somebody says to this user alone, both having accounts, comes unasked in the room ``@`` and their name;
        who begins such a talk joins that room.
        Errback :class:`ClientClosed` when the client has ended and all that came was read.
        """
        message = self._session.get()
        if message.called:  # one fewer waits
            self._settle()
        return message

    def send_msg(self, text: str, room: str = LOBBY) -> Deferred[int | None]:
        """Send ``text`` to all in ``room``; fires with its id when it is stored, however long that takes.

        None where it is stored but the answer was lost. Errback :class:`SendRefused`; :class:`ClientClosed` where the
        client ended before it knew. A program that sends much waits for this: all that is unsent is held in memory.
        What is longer than a frame is uploaded first; messages sent after it may then arrive before it. Cancelling it
        takes back what was not said yet.
        """
        return self._settled(self._session.send(text, room))

    def send_file(
        self,
        path: str | os.PathLike[str],
        room: str = LOBBY,
        *,
        name: str | None = None,
        progress: Progress | None = None,
    ) -> Deferred[int | None]:
        """Send the file at ``path`` to all in ``room``, called ``name`` (its own base name where left out).

        Fires as :meth:`send_msg` does. Lost connections and, with an outbox on disk, our own crash do not begin it
        anew. Errback as there, and :class:`SendRefused` ``unreadable`` where the file cannot be read or was changed
        meanwhile. Cancelling it drops what was uploaded.
        """
        where = os.fspath(path)
        called = os.fsencode(Path(where).name).decode(errors="replace") if name is None else name
        return self._settled(self._session.send_file(where, room, called, progress))

    def send_stream(
        self,
        read: Callable[[int], bytes],
        room: str = LOBBY,
        *,
        name: str | None = None,
        progress: Progress | None = None,
    ) -> Deferred[int | None]:
        """Send what ``read(size)`` gives, at most ``size`` bytes at a time until ``b""``, as a file called ``name``.

        Without a name it is one text. ``read`` is called in a thread of its own and may block (``os.read`` of standard
        input), no faster than the server stores; what is not known to be stored is held in memory, 8 MiB at most.
        Fires and fails as :meth:`send_file` does; a crash of ours ends it.
        """
        return self._settled(self._session.send_stream(read, room, name, progress))

    def save(
        self, id: int, path: str | os.PathLike[str], room: str = LOBBY, *, progress: Progress | None = None
    ) -> Deferred[int]:
        """Fetch the content of message ``id`` into the file at ``path``; fires with its size in bytes.

        Until it is whole it is kept in a hidden file beside ``path``, where the next try goes on after whatever ended
        this one; so do lost connections. Errback :class:`AskRefused`, :class:`ClientClosed`, OSError, and
        FileExistsError where there is something at ``path``, which is never overwritten.
        """
        return self._session.downloads.save(room, id, os.fspath(path), progress)

    def fetch(
        self,
        id: int,
        room: str = LOBBY,
        *,
        write: Callable[[bytes], object],
        offset: int = 0,
        progress: Progress | None = None,
    ) -> Deferred[int]:
        """Give the content of message ``id`` from byte ``offset`` on to ``write``, in a thread, one call at a time.

        Fires with the size of the whole content in bytes. ``write`` may block, but nothing else comes from the server
        while it does and 1 MiB waits. Lost connections do not matter. Errback :class:`AskRefused`,
        :class:`ClientClosed`, and whatever ``write`` raises.
        """
        return self._session.downloads.fetch(room, id, write, offset, progress)

    def check_status(self) -> Status:
        """Return how it stands."""
        session, connection = self._session, self._connection
        behind = session.behind
        state = State.BEHIND if behind and self._phase is State.LIVE else self._phase
        if state is not self._shown:
            self._shown, self._since = state, time()
        return Status(
            state=state,
            behind=behind,
            unsent=session.unsent,
            since=self._since,
            retry_at=self._retry_at,
            reason=self._reason,
            lag=connection.lag if session.live and connection is not None else None,
            refused=self._refused,
        )

    def join(self, room: str, after: int | None = None, history: int | None = None) -> Deferred[None]:
        """Be in ``room`` too, from the message behind ``after`` on or with its newest ``history`` ones.

        Errback :class:`AskRefused`. Without a connection it takes effect at the next login.
        """
        return self._session.join(room, after, history)

    def leave(self, room: str) -> Deferred[None]:
        """Be in ``room`` no more. Errback :class:`AskRefused`."""
        return self._session.leave(room)

    def history(self, room: str, limit: int, before: int | None = None) -> Deferred[list[Message]]:
        """Return the newest messages below the id ``before``, ``limit`` of them (500 at most), ascending.

        Errback, as of every question, :class:`AskRefused`, or ``ConnectionLost`` where the connection went.
        """
        return self._session.history(room, min(limit, MAX_PAGE), before)

    def search(self, room: str, query: str, limit: int, before: int | None = None) -> Deferred[Found]:
        """Find the newest messages below the id ``before`` that hold every word of ``query``, ``limit`` (500 at most).

        Case and the like do not count, and a word is found inside another one too; of a file the name is looked at. The
        server may stop early: one asks on with ``Found.before``, until that is None. Errback as of :meth:`history`.
        """
        return self._session.search(room, query, min(limit, MAX_PAGE), before)

    def who(self, room: str) -> Deferred[list[str]]:
        """Return the users in ``room``, sorted."""
        return self._session.who(room)

    def list_rooms(self) -> Deferred[dict[str, RoomInfo]]:
        """Return all rooms by their names."""
        return self._session.list_rooms()

    def delete(self, id: int, room: str = LOBBY) -> Deferred[None]:
        """Take the content of a message away, for all: one's own as an account, any as an operator."""
        return self._session.delete(room, id)

    def run(self, line: str, room: str = LOBBY) -> Deferred[list[str]]:
        """Give the server an order (``help`` lists those that there are), about ``room``; return its answer's texts."""
        return self._session.run(line, room)

    def register(self, password: str, old: str | None = None) -> Deferred[None]:
        """Have an account for the name we are logged in by, which needs ``password`` then; or change it from ``old``.

        Errback :class:`AskRefused`.
        """
        return self._session.register(password, old)

    def close(self) -> Deferred[None]:
        """Leave; fires when that is done.

        What was sent before is stored and acknowledged first, if the server does so within five seconds.
        """
        if self._phase is State.CLOSED:
            return succeed(None)
        ended: Deferred[None] = Deferred()
        self._ends.append(ended)
        if not self._session.live:
            self._stop("")
        elif self._quitting is None:
            self._quitting = self._clock.callLater(QUIT, self._stop, "")
            self._session.quit()
        return ended

    # What the connection and the service tell.

    def _connect(self) -> Connection:
        self._connection = Connection(self._session, self._clock, self._settle, self._ended)
        return self._connection

    async def _ready(self) -> None:
        """Return when the next connection may be tried; raises :class:`LoginRefused` where it would be in vain."""
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            self._session.password = await wanted
            if self._session.password is None:
                self._clock.callLater(0, self._stop, self._reason)
                raise LoginRefused("auth_failed", self._reason)

    def _trying(self) -> None:
        self._retry_at = None
        self._settle()

    def _next_pause(self, _attempt: int) -> float:
        self._tries += 1
        pause = self._pause(self._tries)
        self._retry_at = self._clock.seconds() + pause
        self._settle()
        return pause

    def _ended(self, why: str) -> None:
        session = self._session
        self._connection = None
        session.lost()
        if self._phase is State.LIVE:
            self._lost_at = self._clock.seconds()
            if self._lost_at - self._live_at >= STEADY:
                self._tries = 0
        reason, comes_back = _BYES.get(session.bye, (session.bye or why, True))
        if self._quitting is not None:
            self._stop("")
        elif session.refusal is not None and session.refusal.code == "auth_failed":
            self._tries = 0
            self._wanted = self._another(session.refusal.text)
            self._lost(session.refusal.text)
        elif session.refusal is not None and not self._will_pass(session.refusal):
            self._stop(session.refusal.text)
        elif not comes_back:
            self._stop(reason)
        else:
            refused = session.refusal.text if session.refusal is not None else session.fault
            self._lost(refused or reason, refused=bool(refused))

    def _will_pass(self, refusal: LoginRefused) -> bool:
        """Whether a server that has let us in before may do so again soon."""
        if refusal.code == "name_taken":
            return self.started.called and self._clock.seconds() - self._lost_at < NAME_HELD
        return self.started.called and refusal.code in ("too_many", UNTRUSTED)

    def _lost(self, reason: str, *, refused: bool = False) -> None:
        if self._service.running:
            self._phase, self._reason, self._refused = State.LOST, reason, refused
            self._settle()

    def _stop(self, reason: str) -> None:
        if self._service.running:
            self._reason = reason
            stopped = self._service.stopService()
            if self._connection is not None:
                self._connection.hang_up("")
            stopped.addCallback(self._stopped)

    def _stopped(self, _: object) -> None:
        if self._quitting is not None and self._quitting.active():
            self._quitting.cancel()
        self._phase, self._retry_at = State.CLOSED, None
        why = ClientClosed(self._reason)
        self._session.close(why)
        self._settle()
        if not self.started.called:
            self.started.errback(Failure(self._session.refusal or (why if self._reason else CancelledError())))
        ends, self._ends = self._ends, []
        for ended in ends:
            ended.callback(None)

    def _settled(self, sent: Deferred[int | None]) -> Deferred[int | None]:
        """Something was sent: tell who wants to know, now and when it is known what comes of it."""

        def settle(result: T) -> T:
            self._settle()
            return result

        self._settle()
        return sent.addBoth(settle)

    def _settle(self) -> None:
        """Something happened: tell who wants to know."""
        if self._session.live and self._phase is not State.LIVE:
            self._phase, self._reason, self._refused = State.LIVE, "", False
            self._live_at = self._clock.seconds()
            if not self.started.called:
                self.started.callback(self)
        status = self.check_status()
        told = (status.state, status.behind, status.unsent, status.retry_at, status.reason, status.lag)
        if told != self._told:
            self._told = told
            self._session.listener.status_changed(status)


@implementer(IStreamClientEndpoint)
class _Attempts:
    """An endpoint that tells when a connection is tried, and why it failed."""

    def __init__(
        self,
        endpoint: IStreamClientEndpoint,
        ready: Callable[[], Coroutine[Deferred[Any], Any, None]],
        began: Callable[[], None],
        failed: Callable[[str], None],
    ) -> None:
        self._endpoint = endpoint
        self._ready = ready
        self._began = began
        self._failed = failed

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        """Connect, as soon as one is ready for it."""
        return Deferred.fromCoroutine(self._connect(factory)).addErrback(self._tell)

    async def _connect(self, factory: IProtocolFactory) -> IProtocol:
        self._began()
        await self._ready()
        return await self._endpoint.connect(factory)

    def _tell(self, failure: Failure) -> Failure:
        if not failure.check(CancelledError):
            number = getattr(failure.value, "osError", None)
            self._failed(os.strerror(number) if isinstance(number, int) else str(failure.value).rstrip("."))
        return failure
