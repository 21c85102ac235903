"""What one batch does to senders and rooms, worked out in memory between their lock and the commit.

Knows of no database: rows go in, entries are carried out in their order, rows to be written come out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from storage.accounts import Accounts
from storage.changes import Called, Change, Deleted, Here, Kicked, Registered, Replaced, Ruled
from storage.changes import Presence as Moved
from storage.interface import (
    Account,
    Auth,
    Delete,
    Drop,
    Entry,
    LoggedIn,
    Login,
    Logout,
    Message,
    Open,
    Outcome,
    Piece,
    Presence,
    Refusal,
    Refuse,
    Register,
    Return,
    Room,
    Send,
    SendContent,
    Sender,
    Taken,
    Unregister,
    UploadKey,
)
from storage.likeness import likeness
from storage.order import Act, Deed, Disown, Invite, Ruling
from storage.prepared import Row
from storage.schema import MAX_FOLDED, NAME, UploadState
from storage.uploads import Upload
from wire.names import fold

SenderKey = tuple[str, bytes]  # the folded user, the client
MessageKey = tuple[int, int]  # the room, the id

# The columns of the rows that come out.
MESSAGE: Final = ("room_id", "id", "sender", "sent_at", "text", "folded")
LARGE: Final = ("room_id", "id", "sender", "sent_at", "size", "name", "text", "folded", "upload_id")
PART: Final = ("upload_id", "offset", "data")
SENDER: Final = ("user", "client", "epoch", "received", "seen_at")
ROOM: Final = ("id", "name", "folded", "first_id", "last_id")
NEW_ROOM: Final = ("name", "folded", "first_id", "last_id", "owner")


@dataclass(slots=True)
class SenderRow:
    """How far a client program is; one that is not known is at 0."""

    epoch: int = 0
    received: int = 0


@dataclass(frozen=True, slots=True)
class Named:
    """A connection that has its name: ``login`` says which one."""

    server: int
    login: Login

    def shares(self, login: Login) -> bool:
        """Whether ``login`` shows a secret that this one has shown."""
        key, client = self.login.key, self.login.client
        return (key is not None and key == login.key) or (client is not None and client == login.client)


@dataclass(frozen=True, slots=True)
class Said:
    """A message that may be deleted; ``upload`` is its content where that is large."""

    by: str
    at: int
    upload: int | None


@dataclass(slots=True)
class Touched:
    """The rows that entries need, to be locked before anything is worked out."""

    senders: set[SenderKey] = field(default_factory=set)
    users: set[str] = field(default_factory=set)  # folded, whose names are decided on
    called: set[str] = field(default_factory=set)  # names as shown, of which accounts decide
    rooms: set[int] = field(default_factory=set)
    names: dict[str, Open] = field(default_factory=dict)  # by folded name, of rooms that may be new
    uploads: set[UploadKey] = field(default_factory=set)
    messages: set[MessageKey] = field(default_factory=set)  # that are to be deleted

    @classmethod
    def by(cls, entries: Iterable[Entry]) -> Touched:
        """Return what ``entries`` touch."""
        touched = cls()
        for entry in entries:
            if isinstance(entry, Send):  # nearly all are
                touched._sender(entry.sender)
                touched.rooms.add(entry.room)
            elif isinstance(entry, SendContent):
                touched._sender(entry.sender)
                touched.rooms.add(entry.room)
                touched.uploads.add(entry.content.upload)
            elif isinstance(entry, Refuse):
                touched._sender(entry.sender)
            elif isinstance(entry, Piece | Drop):
                touched._sender(entry.sender)
                touched.uploads.add(entry.upload)
            elif isinstance(entry, Open):
                touched.names.setdefault(fold(entry.name), entry)
            elif isinstance(entry, Login):
                touched._name(entry)
            elif isinstance(entry, Return):
                for login, _ in entry.logins:
                    touched._name(login)
            elif isinstance(entry, Delete):
                touched.rooms.add(entry.room)
                touched.messages.add((entry.room, entry.id))
            elif isinstance(entry, Register | Unregister):
                touched._account(entry)
        return touched

    def new_room(self, folded: str) -> Row:
        """Return the row of a room that is to be made."""
        asked = self.names[folded]
        return asked.name, folded, 1, 0, asked.by

    def _sender(self, sender: Sender | None) -> None:
        if sender is not None:
            self.senders.add((sender.user, sender.client))

    def _name(self, login: Login) -> None:
        self.users.add(login.user)
        if login.client is not None:
            self.senders.add((login.user, login.client))
        if login.auth is not Auth.OPEN:
            self.called.add(login.name)

    def _account(self, entry: Register | Unregister) -> None:
        self.called.add(entry.name)
        self.users |= {entry.user, _namesake(entry.name)}


def _namesake(name: str) -> str:
    """Return whose lock keeps two who look alike from getting accounts at once."""
    return likeness(name)[:MAX_FOLDED]


def folded(text: str, name: str | None = None, found: str | None = None) -> str | None:
    """Return what is searched of a message, a text or a file of that name; None where it is the text as it stands.

    It is ``found`` where that is known.
    """
    if found is None:
        found = fold(text or name or "")
    return None if found == text else found


class Ledger:
    """Rows as they were locked, then as the entries that are carried out leave them."""

    def __init__(
        self,
        server: int,
        senders: dict[SenderKey, SenderRow],
        names: Iterable[Named],
        rooms: Iterable[Room],
        uploads: Iterable[Upload],
        said: dict[MessageKey, Said],
        accounts: Accounts,
    ) -> None:
        self._server = server
        self.accounts = accounts
        self._senders = senders
        self._names: dict[str, list[Named]] = {}  # by folded name
        for named in names:
            self._names.setdefault(named.login.user, []).append(named)
        self._uploads = {upload.key: upload for upload in uploads}
        self._changed: dict[int, Upload] = {}  # by id
        self._said = said
        self._rooms = {room.key: room for room in rooms}
        self._keys = {fold(room.name): room.key for room in self._rooms.values()}
        self._last_ids = {room.key: room.last_id for room in self._rooms.values()}
        self.messages: list[Row] = []
        self.large: list[Row] = []  # messages that are uploads
        self.parts: list[Row] = []
        self.deleted: dict[MessageKey, int | None] = {}  # the content that is not needed any more, where it is large
        self.deeds: list[Deed] = []
        self.acts: list[Act] = []
        self.logins: dict[int, Login | None] = {}  # by number; None is to be removed
        self.present: list[Presence] = []
        self.returned: Return | None = None
        self.told: list[Change] = []  # what other servers must hear

    def carry_out(self, entry: Entry) -> Outcome:
        """Do what ``entry`` says and return its outcome; raises LookupError for a room that was never opened."""
        match entry:
            case Send():
                return self._store(entry)
            case SendContent():
                return self._store_content(entry) if self._receive(entry) else None
            case Refuse():
                return self._receive(entry)
            case Piece():
                return self._append(entry)
            case Drop():
                return self._drop(entry)
            case Delete():
                return self._delete(entry)
            case Ruling():
                self._rule(entry)
            case Login():
                return self._log_in(entry)
            case Open():
                return self._open(entry)
            case Logout():
                self.logins[entry.number] = None
            case Presence():
                self.present.append(entry)
                self.told.append(Moved(entry.room, entry.name, list(entry.came), list(entry.went)))
            case Return():
                return self._put_back(entry)
            case Register():
                return self._register(entry)
            case Unregister():
                return self._unregister(entry)
        return True

    def changed_senders(self, seen_at: int) -> list[Row]:
        """Return the rows of all senders, seen at that moment."""
        return [(user, client, row.epoch, row.received, seen_at) for (user, client), row in self._senders.items()]

    def changed_rooms(self) -> list[Row]:
        """Return the rows of the rooms that have new messages."""
        return [
            (key, room.name, fold(room.name), room.first_id, last_id)
            for key, room in self._rooms.items()
            if (last_id := self._last_ids[key]) != room.last_id
        ]

    def changed_uploads(self, now: int) -> list[Row]:
        """Return the rows of uploads that are not what they were, touched at ``now``, as they were changed first."""
        return [tuple(upload.row(now).values()) for upload in self._changed.values()]

    def _open(self, entry: Open) -> Room:
        key = self._keys[fold(entry.name)]
        if entry.talk is not None:
            self.deeds += [Invite(key, party.user) for party in entry.talk.parties]
        return self._room(key)

    def _room(self, key: int) -> Room:
        return replace(self._rooms[key], last_id=self._last_ids[key])

    # Names.

    def _log_in(self, login: Login) -> LoggedIn | Refusal:
        if login.gone and login.client is not None:
            return Refusal("failed", "the connection was lost; its client says all of it again where it comes next")
        if refusal := self.accounts.refusal(login):
            return refusal
        others = self._others(login)
        if not self._is_free(login, others):
            return Refusal("name_taken", f"{login.name} is somebody else now; choose another name")
        account = login.account
        name = account.name if account else others[0].login.name if others else login.name
        self._take_name(replace(login, name=name))
        if login.client is None:
            return LoggedIn(None, 0, name, account)
        row = self._senders[login.user, login.client]
        row.epoch += 1
        if any(other.server != self._server and other.login.client == login.client for other in others):
            self.told.append(Replaced(login.user, login.client, row.epoch))
        return LoggedIn(Sender(login.user, login.client, row.epoch), row.received, name, account)

    def _others(self, login: Login) -> list[Named]:
        """Return who else has the name, as far as they have not logged out in this batch."""
        return [
            named
            for named in self._names.get(login.user, [])
            if named.server != self._server
            or (named.login.number != login.number and self.logins.get(named.login.number, named) is not None)
        ]

    def _is_called(self, user: str, number: int) -> bool:
        """Return whether this server's login of that number has the name, and does not log out in this batch."""
        logins = (named.login.number for named in self._names.get(user, []) if named.server == self._server)
        return number in logins and self.logins.get(number, True) is not None

    def _is_free(self, login: Login, others: Sequence[Named]) -> bool:
        return not others or login.account is not None or any(other.shares(login) for other in others)

    def _take_name(self, login: Login) -> None:
        self._decide(login.user)
        self._names.setdefault(login.user, []).append(Named(self._server, login))
        self.logins[login.number] = login

    def _decide(self, user: str) -> None:
        if lock := self._senders.get((user, NAME)):
            lock.epoch += 1  # written, not only locked: between the nodes of a cluster locks do not meet

    def _register(self, entry: Register) -> Account | Refusal:
        if entry.old is None and entry.number is not None and not self._is_called(entry.user, entry.number):
            return Refusal("auth_failed", "the name was free meanwhile, and may be somebody else's")
        outcome = self.accounts.register(entry)
        if isinstance(outcome, Account):
            self._decide(entry.user)
            self._decide(_namesake(entry.name))
            has_it = Registered(outcome.name, outcome.role, outcome.created_at)
            self.told.append(Kicked(entry.user, spared=outcome.mark) if entry.go else has_it)
        return outcome

    def _unregister(self, entry: Unregister) -> bool:
        self._decide(entry.user)
        had_one = self.accounts.unregister(entry.user)
        if had_one:
            self.deeds.append(Disown(entry.user))
            self.told += [Kicked(entry.user, spared=b""), Ruled()]
        return had_one

    def _put_back(self, entry: Return) -> dict[int, str]:
        """Have who is here in the tables anew, but for those who cannot be any more."""
        gone: dict[int, str] = {}
        for login, epoch in entry.logins:
            if login.client is not None and self._senders[login.user, login.client].epoch > epoch > 0:
                gone[login.number] = "replaced"
            elif refusal := self.accounts.refusal(login, returns=True):
                gone[login.number] = refusal.code
            elif self._is_free(login, self._others(login)):
                self._take_name(login)
            else:
                gone[login.number] = "name_taken"
        self.returned = entry
        self.present.clear()  # that is in it
        self.told.append(Here())
        return gone

    # Messages.

    def _is_old(self, sender: Sender | None) -> bool:
        """Whether ``sender`` has been replaced by a newer login of the same client."""
        return sender is not None and sender.epoch < self._senders[sender.user, sender.client].epoch

    def _receive(self, entry: SendContent | Refuse) -> bool:
        """Count the entry as received; return False if it is to be left out."""
        return not self._left_out(entry.sender, entry.seq, 1)

    def _left_out(self, sender: Sender | None, seq: int, count: int) -> int:
        """Count ``count`` messages from number ``seq`` on as received; return how many of the first to leave out."""
        if sender is None:
            return 0
        row = self._senders[sender.user, sender.client]
        left_out = max(0, row.received + 1 - seq)
        if sender.epoch < row.epoch or left_out >= count:
            return count
        row.epoch = sender.epoch  # higher only if the database was restored from a copy
        row.received = seq + count - 1
        return left_out

    def _store(self, send: Send) -> Taken:
        left_out = self._left_out(send.sender, send.seq, len(send.texts))
        texts = send.texts[left_out:]
        ids = self._next_ids(send, len(texts))
        room, by, at = send.room, send.by, send.at
        found = send.folded
        self.messages += [
            (room, id, by, at, text, folded(text, None, found)) for id, text in zip(ids, texts, strict=True)
        ]
        return Taken(send.seq, left_out, ids)

    def _next_ids(self, send: Send | SendContent, count: int) -> range:
        before = self._last_ids[send.room]
        self._last_ids[send.room] = before + count
        if send.talk is not None and count and before == self._rooms[send.room].last_id:  # once a batch is enough
            self.told.append(Called(send.room, before + 1, send.talk))
        return range(before + 1, before + count + 1)

    def _delete(self, delete: Delete) -> bool | Refusal:
        key = delete.room, delete.id
        said = self._said.get(key)
        if said is None or key in self.deleted:
            return Refusal("unknown_message", "there is no such message")
        if delete.own_since is not None and (fold(said.by) != fold(delete.by) or said.at < delete.own_since):
            return Refusal("forbidden", "only who said it, or an operator, may delete it")
        self.deleted[key] = said.upload
        self.told.append(Deleted(delete.room, delete.id, delete.by))
        if delete.act is not None:
            self.acts.append(delete.act)
        return True

    def _rule(self, ruling: Ruling) -> None:
        self.acts.append(ruling.act)
        self.deeds += ruling.deeds
        self.told += dict.fromkeys(deed.change for deed in ruling.deeds)

    # Uploads.

    def _append(self, piece: Piece) -> bool:
        upload = self._uploads.get(piece.upload) or Upload.begin(piece.upload)
        if self._is_old(piece.sender) or piece.offset != upload.size:
            return False
        self._uploads[piece.upload] = self._changed[upload.id] = upload
        upload.append(piece.data)
        if piece.data:
            self.parts.append((upload.id, piece.offset, piece.data))
        return True

    def _drop(self, drop: Drop) -> bool:
        if not self._is_old(drop.sender):
            self._use_up(drop.upload, UploadState.GONE)
        return True

    def _use_up(self, key: UploadKey, state: UploadState) -> None:
        """The client's upload of that number is there no more; what it was made of is in ``state``."""
        if upload := self._uploads.pop(key, None):
            upload.state = state
            self._changed[upload.id] = upload

    def _store_content(self, send: SendContent) -> Message | Refusal:
        content = send.content
        upload = self._uploads.get(content.upload) or Upload.begin(content.upload)
        if upload.size != content.size:
            return Refusal("unknown_upload", f"of this upload there are {upload.size} bytes, not {content.size}")
        if content.name is None and not upload.is_text:
            return Refusal("bad_text", "a text is UTF-8; send it with a name, as a file")
        text = upload.beginning if content.name is None else ""
        is_whole = content.name is None and len(upload.head) == upload.size  # short enough to be an ordinary message
        self._use_up(content.upload, UploadState.GONE if is_whole else UploadState.SENT)
        [id] = self._next_ids(send, 1)
        size, key = (None, None) if is_whole else (upload.size, upload.id)
        searched = folded(text, content.name)
        self.large.append((send.room, id, send.by, send.at, size, content.name, text, searched, key))
        return Message(self._rooms[send.room].name, id, send.by, send.at, text, size, content.name)
