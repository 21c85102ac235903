"""What stands in where time, the socket's room and the storage's faults must be in a test's hand."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, cast

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import ITransport
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.protocols.basic import NetstringReceiver
from zope.interface import implementer

from server.connection import Connection
from server.limits import Allowed
from server.server import Server
from storage.accounts import Accounts
from storage.changes import Change
from storage.interface import (
    Account,
    Auth,
    Batch,
    Beat,
    Delete,
    Drop,
    Entry,
    IStorage,
    LoggedIn,
    Login,
    Logout,
    Message,
    Neighbour,
    Open,
    Outcome,
    Piece,
    Presence,
    Refusal,
    Refuse,
    Register,
    Return,
    Role,
    Room,
    Send,
    SendContent,
    Sender,
    StorageDown,
    Taken,
    UnknownMessage,
    Unregister,
    UploadKey,
)  # fmt: skip
from storage.order import Act, Close, Deed, Impose, Invite, Kind, Lift, Ruling, Sanction, Uninvite
from storage.talks import Talk
from wire.frames import Echo, Frame, encode, from_server
from wire.names import fold


@implementer(ITransport)
class TightTransport(StringTransport):
    """A transport whose socket takes only as many bytes as the test lets it, as Twisted's own behaves then."""

    def __init__(self, room: int = 1 << 30) -> None:
        super().__init__()
        self.room = room
        self.sent = b""
        self._waiting = b""
        self.wanted = False
        self.aborted = False
        self.half_closed = False

    def getHandle(self) -> TightTransport:
        return self

    def send(self, data: bytes) -> int:
        count = min(len(data), self.room)
        self.sent += bytes(data[:count])
        self.room -= count
        return count

    def write(self, data: bytes) -> None:
        self._waiting += data

    @property
    def held(self) -> int:
        """How many bytes wait in the transport."""
        return len(self._waiting)

    def startWriting(self) -> None:
        self.wanted = True

    def pauseProducing(self) -> None:
        self.producerState = "paused"

    def resumeProducing(self) -> None:
        self.producerState = "producing"

    def take(self, count: int) -> None:
        """The peer reads: the socket has room for ``count`` bytes more, and the reactor finds it writable."""
        self.room += count
        while self.room and (self._waiting or self.wanted):
            self._turn()

    def _turn(self) -> None:
        """Do what the reactor does with a writable socket."""
        self.wanted = False
        self._waiting = self._waiting[self.send(self._waiting) :]
        if not self._waiting and self.producer is not None:
            self.producer.resumeProducing()

    def unregisterProducer(self) -> None:
        if self.producer is not None:
            super().unregisterProducer()

    def loseWriteConnection(self) -> None:
        self.half_closed = True

    def abortConnection(self) -> None:
        self.aborted = True


class Reading(NetstringReceiver):
    """The frames in a stream of bytes."""

    MAX_LENGTH = 65_536

    def __init__(self) -> None:
        self.frames: list[tuple[Frame, bytes]] = []
        self.makeConnection(StringTransport())

    def stringReceived(self, string: bytes) -> None:
        self.frames.append(from_server.decode(string))


class Peer:
    """A client at the other end of a connection of the server."""

    def __init__(self, server: Server, room: int = 1 << 30, host: str = "127.0.0.1") -> None:
        self.transport = TightTransport(room)
        self.transport.peerAddr = IPv4Address("TCP", host, 1)
        self.connection: Connection = server.buildProtocol(None)
        self.connection.makeConnection(self.transport)
        self._reading = Reading()
        self._read = 0

    def says(self, frame: Frame, body: bytes = b"") -> None:
        """Send one frame."""
        self.connection.dataReceived(encode(frame, body))

    @property
    def frames(self) -> list[tuple[Frame, bytes]]:
        """All frames that arrived."""
        self.transport.take(0)
        data, self._read = self.transport.sent[self._read :], len(self.transport.sent)
        self._reading.dataReceived(data)
        return self._reading.frames

    def heard(self, kind: type[Any]) -> list[Any]:
        """The frames of one kind that arrived."""
        return [frame for frame, _ in self.frames if isinstance(frame, kind)]

    def ends(self) -> None:
        """The connection is lost."""
        self.connection.connectionLost()


class ListedNeighbours:
    """The other processes on the database of a :class:`ListStorage`: those that the test puts here."""

    own = 1

    def __init__(self, storage: ListStorage) -> None:
        self.ours = Neighbour(self.own, 0, 0, True, 0)
        self.others: dict[int, Neighbour] = {}
        self.told: dict[int, list[Change]] = {}  # by each from its first change on
        self.removed: dict[int, int] = {}  # how many of those are there no more
        self.at: dict[int, list[tuple[int, str]]] = {}
        self.forgotten: list[int] = []
        self.first_ids: dict[int, int] = {}
        self._storage = storage

    def put(self, server: int, batch: int, here: bool = True, silent_for: int = 0, auth: str | None = None) -> None:
        """Have ``server`` be as it is now."""
        self.others[server] = Neighbour(server, batch, len(self.told.get(server, ())), here, silent_for, auth)

    def all(self) -> list[Neighbour]:
        return [self.ours, *self.others.values()]

    def changes(self, server: int, after: int) -> list[tuple[int, Change | None]]:
        numbered = list(enumerate(self.told[server], 1))
        return [(seq, change) for seq, change in numbered if seq > max(after, self.removed.get(server, 0))]

    def present(self, server: int) -> list[tuple[int, str]]:
        return self.at.get(server, [])

    def spans(self, rooms: Sequence[int]) -> list[tuple[int, int, int]]:
        return [(key, self.first_ids.get(key, 1), len(self._storage.messages[key])) for key in rooms]

    def forget(self, server: int) -> None:
        self.forgotten.append(server)

    def leave(self) -> None:
        pass

    def trim(self, before: int) -> None:
        pass


class ListStorage:
    """What a server asks of a storage, with messages in lists.

    ``faults`` are taken one a commit: None, "before" (nothing was stored), "lost" (it was).
    """

    def __init__(self) -> None:
        self.shared = False
        self.neighbours = ListedNeighbours(self)
        self.logins: dict[int, Login] = {}
        self.messages: dict[int, list[Message]] = {}
        self.keys: dict[str, int] = {}
        self.names: dict[int, str] = {}
        self.senders: dict[tuple[str, bytes], list[int]] = {}
        self.faults: deque[str | None] = deque()
        self.poison: str | None = None
        self.uploads: dict[UploadKey, bytes] = {}
        self.contents: dict[tuple[int, int], bytes] = {}
        self.returned: list[Return] = []
        self.owners: dict[int, str | None] = {}
        self.invited: dict[int, set[str]] = {}  # into rooms that are private
        self.talking: dict[str, Talk] = {}  # by the room's name
        self.punished: dict[tuple[Kind, str], Sanction] = {}
        self.acts: list[Act] = []
        self.accounts = Accounts([])
        self.read = 0  # contents, or pieces of them
        self._stored = 0

    def commit(self, batch: Batch) -> list[Outcome]:
        fault = self.faults.popleft() if self.faults else None
        if fault == "before":
            raise StorageDown("gone")
        if any(isinstance(entry, Send) and self.poison in entry.texts for entry in batch.entries):
            raise ValueError("poison")
        if batch.attempt is None or self._stored != batch.number:
            batch.attempt = [self._carry_out(entry) for entry in batch.entries]
            self._stored = batch.number
        if fault == "lost":
            raise StorageDown("gone")
        return batch.attempt

    def _carry_out(self, entry: Entry) -> Outcome:
        if isinstance(entry, Login):
            return self._log_in(entry)
        if isinstance(entry, Open):
            if entry.talk is not None:
                self.talking[entry.name] = entry.talk
            return self._open(entry.name, entry.by)
        if isinstance(entry, Logout):
            self.logins.pop(entry.number, None)
        if isinstance(entry, Return):
            self.returned.append(entry)
            return {}
        if isinstance(entry, Logout | Presence | Beat):
            return True
        if isinstance(entry, Register):
            return self.accounts.register(entry)
        if isinstance(entry, Unregister):
            return self.accounts.unregister(entry.user)
        if isinstance(entry, Piece):
            return self._append(entry)
        if isinstance(entry, Drop):
            if not self._is_old(entry.sender):
                self.uploads.pop(entry.upload, None)
            return True
        if isinstance(entry, Delete):
            return self._delete(entry)
        if isinstance(entry, Ruling):
            self.acts.append(entry.act)
            for deed in entry.deeds:
                self._do(deed)
            return True
        if isinstance(entry, Send):
            return self._send(entry)
        taken = self._take(entry.sender, entry.seq)
        if isinstance(entry, Refuse):
            return taken
        return self._send_content(entry, self.messages[entry.room]) if taken else None

    def _send(self, send: Send) -> Taken:
        row = self.messages[send.room]
        taken = [text for seq, text in enumerate(send.texts, send.seq) if self._take(send.sender, seq)]
        first = len(row) + 1
        for id, text in enumerate(taken, first):
            row.append(Message(self.names[send.room], id, send.by, send.at, text))
        return Taken(send.seq, len(send.texts) - len(taken), range(first, len(row) + 1))

    def _delete(self, delete: Delete) -> bool | Refusal:
        for message in self.messages[delete.room]:
            if message.id == delete.id and not message.deleted:
                if delete.own_since is not None and message.sender != delete.by:
                    return Refusal("forbidden", "not yours")
                message.text, message.deleted = "", True
                self.acts += [delete.act] if delete.act else []
                self.contents.pop((delete.room, delete.id), None)
                return True
        return Refusal("unknown_message", "not there")

    def _do(self, deed: Deed) -> None:
        match deed:
            case Impose(sanction):
                self.punished[sanction.kind, sanction.whom] = sanction
            case Lift(kind, whom):
                self.punished.pop((kind, whom), None)
            case Close(room, private=True):
                self.invited.setdefault(room, set())
            case Close(room):
                self.invited.pop(room, None)
            case Invite(room, user):
                self.invited.setdefault(room, set()).add(user)
            case Uninvite(room, user):
                self.invited.setdefault(room, set()).discard(user)

    def sanctions(self) -> list[Sanction]:
        return list(self.punished.values())

    def private_rooms(self) -> dict[str, frozenset[str]]:
        return {self.names[room]: frozenset(users) for room, users in self.invited.items()}

    def audit(self, limit: int) -> list[Act]:
        return self.acts[::-1][:limit]

    def is_here(self, user: str) -> bool:
        return any(login.user == user for login in self.logins.values())

    def _append(self, piece: Piece) -> bool:
        known = self.uploads.get(piece.upload, b"")
        if self._is_old(piece.sender) or piece.offset != len(known):
            return False
        self.uploads[piece.upload] = known + piece.data
        return True

    def _send_content(self, send: SendContent, row: list[Message]) -> Message | Refusal:
        content = send.content
        if len(self.uploads.get(content.upload, b"")) != content.size:
            return Refusal("unknown_upload", "not that long")
        if content.name is None and not is_text(self.uploads.get(content.upload, b"")):
            return Refusal("bad_text", "not text")
        data = self.contents[send.room, len(row) + 1] = self.uploads.pop(content.upload, b"")
        room, text = self.names[send.room], data.decode() if content.name is None else ""
        row.append(Message(room, len(row) + 1, send.by, send.at, text, content.size, content.name))
        return row[-1]

    def content(self, room: int, id: int, offset: int) -> bytes:
        if (room, id) not in self.contents:
            raise UnknownMessage
        self.read += 1
        return self.contents[room, id][offset : offset + 100_000]

    def upload_size(self, upload: UploadKey) -> int:
        return len(self.uploads.get(upload, b""))

    def open_uploads(self, user: str, client: bytes) -> int:
        return sum(1 for key in self.uploads if (key.user, key.client) == (user, client))

    def _log_in(self, login: Login) -> LoggedIn | Refusal:
        if refusal := self.accounts.refusal(login):
            return refusal
        here = [other for other in self.logins.values() if other.user == login.user]
        if (
            here
            and login.account is None
            and not any(
                (login.key is not None and login.key == other.key)
                or (login.client is not None and login.client == other.client)
                for other in here
            )
        ):
            return Refusal("name_taken", "somebody else")
        self.logins[login.number] = login
        name = here[0].name if here else login.name
        if login.client is None:
            return LoggedIn(None, 0, name, login.account)
        sender = self.senders.setdefault((login.user, login.client), [0, 0])
        sender[0] += 1
        return LoggedIn(Sender(login.user, login.client, sender[0]), sender[1], name, login.account)

    def _open(self, name: str, by: str | None = None) -> Room:
        key = self.keys.setdefault(fold(name), len(self.keys) + 1)
        self.names.setdefault(key, name)
        owner = self.owners.setdefault(key, by)
        return Room(key, self.names[key], 1, len(self.messages.setdefault(key, [])), owner, key in self.invited)

    def _is_old(self, sender: Sender | None) -> bool:
        return sender is not None and sender.epoch < self.senders[sender.user, sender.client][0]

    def _take(self, sender: Sender | None, seq: int) -> bool:
        if sender is None:
            return True
        known = self.senders[sender.user, sender.client]
        if known[0] != sender.epoch or seq <= known[1]:
            return False
        known[1] = seq
        return True

    def clean(self, forgotten: int) -> bool:
        return False

    def size(self) -> int:
        return sum(map(len, self.uploads.values())) + sum(map(len, self.contents.values()))

    def page(self, room: int, first: int, last: int) -> list[Message]:
        first = max(first, self.neighbours.first_ids.get(room, 1))
        return self.messages[room][first - 1 : last]

    def search(self, room: int, words: Sequence[str], first: int, last: int, limit: int) -> list[int]:
        hits = [
            message.id
            for message in self.page(room, first, last)
            if not message.deleted and all(word in fold(message.text or message.name or "") for word in words)
        ]
        return hits[::-1][:limit]

    def some(self, room: int, ids: Sequence[int]) -> list[Message]:
        wanted = set(ids)
        return [message for message in self.messages[room] if message.id in wanted and not message.deleted]

    def rooms(self, *, talks: bool = False) -> list[Room]:
        return [self._open(name) for name in self.keys if talks or name not in self.talking]

    def talks(self, user: str) -> list[tuple[Room, Talk]]:
        return [
            (self._open(name), talk)
            for name, talk in self.talking.items()
            if any(party.user == user for party in talk.parties)
            and all(party.is_of(self.account(party.user)) for party in talk.parties)
        ]

    def account(self, user: str) -> Account | None:
        return self.accounts.of(user)


class Steps:
    """Calls that would run in a thread, carried out one by one when the test says so."""

    def __init__(self) -> None:
        self._calls: deque[Callable[[], object]] = deque()

    def __call__(self, function: Callable[..., Any], *args: Any) -> Deferred[Any]:
        result: Deferred[Any] = Deferred()
        self._calls.append(lambda: maybeDeferred(function, *args).chainDeferred(result))
        return result

    @property
    def waiting(self) -> int:
        """How many calls have begun and are not carried out."""
        return len(self._calls)

    def step(self) -> bool:
        """Carry out the next call; say whether there was one."""
        if not self._calls:
            return False
        self._calls.popleft()()
        return True


def is_text(data: bytes) -> bool:
    """Whether it is UTF-8."""
    return data.decode(errors="replace").encode() == data


class House:
    """A server whose time, threads and storage are in the test's hand."""

    def __init__(self, shared: bool = False, **settings: Any) -> None:
        self.clock = Clock()
        self.storage = ListStorage()
        self.storage.shared = shared
        self.steps = Steps()
        allowed = Allowed(**{name: settings.pop(name) for name in Allowed._fields if name in settings})
        self.server = Server(
            cast(IStorage, self.storage), self.steps, self.steps, self.clock, allowed=allowed, **settings
        )

    def settle(self) -> None:
        """Let the journal and the readers work until nothing is left to do."""
        self.clock.advance(0)
        while self.steps.step():
            self.clock.advance(0)

    def peer(self, user: str, room: int = 1 << 30, host: str = "127.0.0.1", **login: Any) -> Peer:
        """Return somebody who has logged in."""
        from wire.frames import Login as LoginFrame

        peer = Peer(self.server, room, host)
        peer.says(LoginFrame(user, **login))
        self.settle()
        return peer


class Members(House):
    """A server whose people have accounts, of which every password was shown."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(auth=Auth.ACCOUNTS, **settings)
        self.server.accounts.admit = self._admit  # type: ignore[method-assign]

    def member(self, name: str, role: Role = Role.USER, **login: Any) -> Peer:
        """Return somebody who has logged in by an account, which is made where there is none."""
        if self.storage.account(fold(name)) is None:
            self.storage.accounts.register(Register(name, "hash", None, 0, role))
        return self.peer(name, **login)

    async def _admit(self, who: object, name: str, password: str | None, network: str | None) -> Account | None:
        return self.storage.account(fold(name))


__all__ = ["Echo", "House", "ListStorage", "Members", "Peer", "Steps", "TightTransport"]
