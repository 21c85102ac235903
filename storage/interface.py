"""What the server needs of a database, in plain values and plain synchronous functions.

Every function is one transaction and is called in a storage thread. None of them knows of Twisted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

from msgspec import Struct
from zope.interface import Attribute, Interface

from storage.changes import Change
from storage.order import Act, Ruling, Sanction
from storage.talks import Talk
from wire.names import fold


class StorageDown(Exception):
    """The database cannot be asked now, but will be: try again later. Nothing was stored, or it can be found out."""


class StorageUnusable(Exception):
    """The database cannot be used as it is; the text says what the operator has to do."""


class UnknownMessage(LookupError):
    """There is no such message."""


@dataclass(frozen=True, slots=True)
class Room:
    """A room as it is stored: ``first_id`` … ``last_id`` are kept, none where ``first_id`` is ``last_id`` + 1."""

    key: int
    name: str  # as it was first written
    first_id: int
    last_id: int
    owner: str | None = None  # the account (folded) that made it
    private: bool = False


class Message(Struct, gc=False):  # of these and of Sends there are many at once
    """One stored message; ``size`` stands where ``text`` is only the beginning, ``name`` where it is a file."""

    room: str
    id: int
    sender: str
    sent_at: int  # milliseconds since 1970-01-01 UTC
    text: str
    size: int | None = None
    name: str | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Sender:
    """One client program of one user, logged in: ``epoch`` counts its logins, so an older connection can be told."""

    user: str  # folded
    client: bytes  # SHA-256 of the client's secret
    epoch: int


class Auth(StrEnum):
    """Who may log in."""

    OPEN = "open"  # anybody by any free name; accounts do not count
    ACCOUNTS = "accounts"  # the same, but a name that has an account needs its password
    CLOSED = "closed"  # who has an account


class Role(StrEnum):
    """What an account may do."""

    USER = "user"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Account:
    """A name that needs its password, of which ``password`` is the argon2id hash; that is shown to nobody."""

    name: str  # as it is shown
    role: Role
    created_at: int  # milliseconds since 1970-01-01 UTC
    password: str = field(default="", repr=False, compare=False)

    @property
    def user(self) -> str:
        """The folded name."""
        return fold(self.name)

    @property
    def mark(self) -> bytes:
        """What tells this account from the same one with another password or role."""
        return sha256(f"{self.role} {self.password}".encode()).digest()


@dataclass(slots=True)
class Login:
    """Let connection ``number`` of this server be called ``name``, and begin a new epoch of its client program.

    ``key`` and ``client`` are SHA-256 of its person's and its program's secret, None where it named none. Outcome:
    :class:`LoggedIn`, or a :class:`Refusal` where somebody with neither in common is called so, on whatever server.
    One that is ``gone`` by then, its connection being lost, is refused too if it has a ``client``: that says all of it
    again, and may have done so already at another server, which had to wait less for the database. By ``auth`` it may
    take the ``account`` of that name, whose password was shown; who has shown it may be called so, whoever else is.
    """

    name: str
    client: bytes | None
    key: bytes | None = None
    number: int = 0
    gone: bool = field(default=False, compare=False)
    auth: Auth = Auth.OPEN
    account: Account | None = None

    @property
    def user(self) -> str:
        """The folded name."""
        return fold(self.name)


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """``sender`` is None for a client without a secret; ``received`` the highest ``seq`` stored or refused.

    ``name`` is how the user is shown: as the account's name is written, or as whoever was first called so wrote it.
    """

    sender: Sender | None
    received: int
    name: str
    account: Account | None = None


@dataclass(slots=True)
class Logout:
    """Connection ``number`` of this server needs its name no more. Outcome: True."""

    number: int


@dataclass(slots=True)
class Register:
    """Give ``name`` an account with the password of that hash, or change its password, and its ``role`` where given.

    ``old`` is the account's hash until now, None where there is none: then who wants it, by the login of that
    ``number``, must still be called so. Outcome: the :class:`Account`, or a :class:`Refusal` where it is another one
    meanwhile, or where an account's name looks like this one. Who is logged in by that name has the account then, or
    is to ``go``: it was not its user who wanted it.
    """

    name: str
    password: str = field(repr=False)
    old: str | None = field(repr=False)
    at: int  # milliseconds since 1970-01-01 UTC
    role: Role | None = None
    go: bool = False
    number: int | None = None  # of this server's; None is the operator

    @property
    def user(self) -> str:
        """The folded name."""
        return fold(self.name)


@dataclass(slots=True)
class Unregister:
    """Let ``name`` have no account any more; who is logged in by it elsewhere is to go. Outcome: whether it had one."""

    name: str

    @property
    def user(self) -> str:
        """The folded name."""
        return fold(self.name)


@dataclass(slots=True)
class Presence:
    """Tell the other servers which users came into a room or left it here. Outcome: True."""

    room: int  # the room's key
    name: str  # the room's
    came: Sequence[str]
    went: Sequence[str]


@dataclass(slots=True)
class Return:
    """Put anew who is at this server: it begins, or was taken for dead and forgotten.

    ``logins`` are those of its connections, each with its sender's epoch (0: it has none), ``present`` the users in
    its rooms, by the room's key; ``auth`` is what the other servers compare with theirs. Outcome: the protocol's code
    of what ended each of the connections that are to go, by number: ``name_taken``, ``auth_failed``, ``replaced``.
    """

    logins: Sequence[tuple[Login, int]] = ()
    present: Sequence[tuple[int, str]] = ()
    auth: Auth = Auth.OPEN


@dataclass(slots=True)
class Beat:
    """Show that this server lives, as every batch does. Outcome: True."""


@dataclass(slots=True)
class Open:
    """Find a room by any spelling, or make it for the account ``by`` (folded). Outcome: :class:`Room`.

    Where ``talk`` is given it is that one's, by its name.
    """

    name: str
    by: str | None = None
    talk: Talk | None = None


@dataclass(frozen=True, slots=True)
class UploadKey:
    """One upload of one client program: each program numbers its own."""

    user: str  # folded
    client: bytes  # SHA-256 of the client's secret; for a client without one 32 bytes drawn for the connection
    number: int


@dataclass(frozen=True, slots=True)
class Content:
    """What a message is made of in place of a text: a finished upload of ``size`` bytes, a file where it has a name."""

    upload: UploadKey
    size: int
    name: str | None = None


class Send(Struct, gc=False):
    """Store what somebody says in a room: messages that follow one another, the first with the number ``seq``.

    Of what is said in a ``talk`` the other servers are told. One that stands alone may come ``folded``, if that takes
    long: so nobody waits for it. Outcome: :class:`Taken`.
    """

    sender: Sender | None
    seq: int
    room: int  # the room's key
    by: str
    at: int  # milliseconds since 1970-01-01 UTC
    texts: list[str]
    talk: Talk | None = None
    folded: str | None = None


class Taken(Struct, frozen=True, gc=False):
    """Of the messages of a :class:`Send` from number ``seq`` on: those that were stored are the last, with ``ids``.

    The first ``left_out`` were stored already, or all of them are from an older epoch.
    """

    seq: int
    left_out: int
    ids: range


class SendContent(Struct, gc=False):
    """Store a message that is ``content``. Of one in a ``talk`` the other servers are told.

    Outcome: the :class:`Message` as it is stored, or a :class:`Refusal`, which counts as received and leaves the
    upload. None: left out, being from an older epoch or stored already.
    """

    sender: Sender | None
    seq: int
    room: int  # the room's key
    by: str
    at: int  # milliseconds since 1970-01-01 UTC
    content: Content
    talk: Talk | None = None


@dataclass(slots=True)
class Refuse:
    """Count a refused send as received. Outcome: False where it was left out as a message would be, else True."""

    sender: Sender | None
    seq: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a send is not stored: the protocol's code, and a text for a person."""

    code: str
    text: str


@dataclass(slots=True)
class Piece:
    """Put ``data`` at the end of an upload, which begins with its first piece; an empty one only touches it.

    Outcome: False where ``offset`` is not where the upload ends or the sender is of an older epoch, else True.
    """

    sender: Sender | None
    upload: UploadKey
    offset: int
    data: bytes


@dataclass(slots=True)
class Drop:
    """Forget an upload, if there is such a one. Outcome: True."""

    sender: Sender | None
    upload: UploadKey


@dataclass(slots=True)
class Delete:
    """Take the content of a message from the room with that key; its id and a mark stay.

    ``by`` is who deletes it, as shown. Where ``own_since`` is given it must be a message that ``by`` has said, since
    then (ms since 1970). ``act`` is noted with it. Outcome: True, or a :class:`Refusal`.
    """

    room: int
    id: int
    by: str
    own_since: int | None = None
    act: Act | None = None


Entry = (
    Login
    | Logout
    | Register
    | Unregister
    | Presence
    | Return
    | Beat
    | Open
    | Send
    | SendContent
    | Refuse
    | Piece
    | Drop
    | Delete
    | Ruling
)
Outcome = LoggedIn | Account | Room | Taken | Message | Refusal | dict[int, str] | bool | None


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A process that writes to the same database; ``batch`` and ``last_change`` number what it wrote last.

    ``here`` says whether the tables tell who is there, ``auth`` who may log in there: None where it does not say.
    """

    id: int
    batch: int
    last_change: int
    here: bool
    silent_for: int  # seconds, by the database's clock
    auth: str | None = None


class INeighbours(Interface):
    """What other processes write to the same database. Each function may be called in any thread."""

    own: int = Attribute("The id of this process.")

    def all() -> list[Neighbour]:
        """Return all processes that were heard of lately, this one too."""

    def changes(server: int, after: int) -> list[tuple[int, Change | None]]:
        """Return the changes of a process from number ``after`` + 1 on, some of them, with their numbers."""

    def present(server: int) -> list[tuple[int, str]]:
        """Return who is at a server: pairs of a room's key and a user."""

    def spans(rooms: Sequence[int]) -> list[tuple[int, int, int]]:
        """Return key, first and last id of each of the rooms with these keys."""

    def forget(server: int) -> None:
        """Forget a process that is dead: who was there, then also what it told. Not if it has been heard of again."""

    def leave() -> None:
        """Forget this server, which ends: its names are free."""

    def trim(before: int) -> None:
        """Remove the changes of this process up to number ``before``."""


@dataclass(slots=True)
class Batch:
    """Entries for one transaction, in their order.

    ``attempt`` is kept by the storage: the outcomes of an attempt of which nobody knows whether it was committed.
    """

    entries: Sequence[Entry]
    number: int  # greater than that of every batch before
    attempt: list[Outcome] | None = field(default=None, repr=False)


class IStorage(Interface):
    """A place where messages are kept."""

    shared: bool = Attribute("Whether several servers may serve it at once.")
    neighbours: INeighbours = Attribute("The other processes that write to it.")

    def save_msg(room: str, sender: str, text: str) -> Message:
        """Store one message, make the room where there is none, and return it with its id."""

    def get_all(room: str, after: int = 0) -> Iterator[Message]:
        """Yield the room's messages with an id above ``after``, ascending: a stream, never a whole list."""

    def get(room: str, id: int) -> Message:
        """Return one message; raises :class:`UnknownMessage`."""

    def get_last_msg_id(room: str) -> int:
        """Return the id of the room's newest message, 0 where there is none."""

    def serve() -> None:
        """Serve the database from now on, before :meth:`prepare`.

        Raises :class:`StorageUnusable` where another server does and only one may: a file's. Other programs may use it.
        """

    def prepare() -> list[str]:
        """Reach the database and bring its schema up to date, under a lock that holds off other servers.

        Returns a line for each thing in which it is worse than it should be, for the operator. Raises
        :class:`StorageDown` if it does not answer (yet), :class:`StorageUnusable` if it never will.
        """

    def commit(batch: Batch) -> list[Outcome]:
        """Carry out the entries in one transaction and return an outcome for each, in their order.

        Durable when it returns. Raises :class:`StorageDown` for what passes; the same ``batch`` is then given again,
        before any other, until it returns: if a commit whose answer was lost did happen, its outcomes hold. Any other
        exception says that nothing was stored and that trying the same again is of no use.
        """

    def page(room: int, first: int, last: int) -> list[Message]:
        """Return the messages ``first`` … ``last`` of the room with that key, ascending, as far as they are kept."""

    def search(room: int, words: Sequence[str], first: int, last: int, limit: int) -> list[int]:
        """Return the ids of the newest ``limit`` hits among the messages ``first`` … ``last`` of a room, newest first.

        A hit holds each of the ``words``, which are folded and not empty, in its folded text or file name. Takes as
        long as it takes to read the messages: who holds up others asks for a few at a time.
        """

    def some(room: int, ids: Sequence[int]) -> list[Message]:
        """Return those of the messages that are kept and not deleted, ascending."""

    def rooms(*, talks: bool = False) -> list[Room]:
        """Return every room, talks of two only where they are asked for, sorted by its folded name."""

    def talks(user: str) -> list[tuple[Room, Talk]]:
        """Return the talks of two of a user (folded), sorted by the other's folded name."""

    def sanctions() -> list[Sanction]:
        """Return all bans and mutes, also those that are over."""

    def private_rooms() -> dict[str, frozenset[str]]:
        """Return who may be in each private room: folded users by the room's name."""

    def audit(limit: int) -> list[Act]:
        """Return the newest ``limit`` rows of the audit log, newest first."""

    def is_here(user: str) -> bool:
        """Return whether a user (folded) is logged in at any server."""

    def account(user: str) -> Account | None:
        """Return the account of a user (folded), None where there is none."""

    def accounts() -> list[Account]:
        """Return every account, sorted by its folded name."""

    def content(room: int, id: int, offset: int) -> bytes:
        """Return some of the content of a message of the room with that key, from byte ``offset`` on.

        At most 256 KiB, and nothing at its end; raises :class:`UnknownMessage` also for one that is deleted or pruned.
        """

    def upload_size(upload: UploadKey) -> int:
        """Return how many bytes of an upload are stored, 0 where there is none."""

    def open_uploads(user: str, client: bytes) -> int:
        """Return how many uploads of a client are stored that are not sent yet."""

    def clean(forgotten: int) -> bool:
        """Remove some of what dropped uploads left, and of those not touched since ``forgotten`` (ms since 1970).

        Returns whether there is more. To be called where batches are committed, between them.
        """

    def size() -> int:
        """Return how many bytes the database holds, without what is free in its files."""

    def close() -> None:
        """Give back what is held; the storage is not used after."""
