"""Records of an export into an empty database, in one transaction: all of it is there in the end, or nothing."""

from __future__ import annotations

from typing import Any, Final

from msgspec.structs import asdict
from sqlalchemy import Connection, Table, insert, select
from sqlalchemy.exc import DataError, IntegrityError

from storage import archive
from storage.accounts import row_of
from storage.interface import Account, StorageUnusable, UploadKey
from storage.ledger import folded
from storage.schema import UploadState, accounts, audit, invited, messages, parts, rooms, sanctions, senders, uploads
from storage.uploads import Upload
from wire.names import fold

BATCH: Final = 200  # rows that are held at once: of the largest messages 12 MB
_NOBODY: Final = bytes(32)  # whose upload a content was: no client numbers it any more


class BadRecord(ValueError):
    """A record that cannot be; the text says why."""


class Inserts:
    """Rows on their way into one table, a batch at a time."""

    def __init__(self, connection: Connection, table: Table) -> None:
        self._connection = connection
        self._insert = insert(table)
        self._rows: list[dict[str, Any]] = []

    def add(self, row: dict[str, Any]) -> None:
        """Write it, now or later."""
        self._rows.append(row)
        if len(self._rows) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what is held; raises :class:`BadRecord` for what the table cannot have."""
        rows, self._rows = self._rows, []
        try:
            if rows:
                self._connection.execute(self._insert, rows)
        except (IntegrityError, DataError) as wrong:
            raise BadRecord(f"here, or shortly before, is something that cannot be: {wrong.orig}") from None


class Restoring:
    """Takes one record after the other. ``connection``'s transaction is to be undone when anything is raised.

    Raises :class:`StorageUnusable` for a database that is not empty.
    """

    def __init__(self, connection: Connection) -> None:
        for table in (rooms, messages, senders, uploads, accounts, sanctions, audit):
            if connection.execute(select(table).limit(1)).first() is not None:
                raise StorageUnusable(
                    "there is a chat in the database already; import into a new file, or a new database of the server"
                )
        self._connection = connection
        self._messages = Inserts(connection, messages)
        self._senders = Inserts(connection, senders)
        self._uploads = Inserts(connection, uploads)
        self._invited = Inserts(connection, invited)
        self._sanctions = Inserts(connection, sanctions)
        self._acts = Inserts(connection, audit)
        self._accounts = Inserts(connection, accounts)
        self._rows = (
            self._messages,
            self._senders,
            self._uploads,
            self._invited,
            self._sanctions,
            self._acts,
            self._accounts,
        )
        self._taken = 0
        self._is_whole = False
        self._room = archive.Room("", 1, 0)  # none yet
        self._key = 0  # of the room
        self._next = 1  # id of the message that has to follow
        self._content: Content | None = None

    def take(self, record: archive.AnyRecord) -> None:
        """Store it; raises :class:`BadRecord` where it cannot follow those before it."""
        if isinstance(record, archive.Chat) is not (self._taken == 0):
            raise BadRecord("an export begins with its version, once")
        if self._is_whole:
            raise BadRecord("nothing may follow the end")
        if isinstance(record, archive.Part):
            self._part(record)
        else:
            self._finish_content()
            self._take(record)
        self._taken += 1

    def finish(self) -> None:
        """See that all of the export was there."""
        if not self._is_whole:
            raise BadRecord("the export is cut off: its end is missing")

    def _take(self, record: archive.AnyRecord) -> None:
        match record:
            case archive.Message():
                self._message(record)
            case archive.Room():
                self._finish_room()
                self._open(record)
            case archive.Sender():
                self._finish_room()
                self._senders.add(asdict(record))
            case archive.Sanction():
                self._finish_room()
                self._sanctions.add(asdict(record))
            case archive.Act():
                self._finish_room()
                self._acts.add(asdict(record))
            case archive.Upload():
                self._finish_room()
                self._upload(record)
            case archive.Account():
                self._finish_room()
                self._accounts.add(row_of(Account(record.name, record.role, record.created_at, record.password)))
            case archive.End():
                self._end(record)

    def _open(self, room: archive.Room) -> None:
        self._messages.flush()
        row = {name: value for name, value in asdict(room).items() if name != "invited"}
        row["folded"] = fold(room.name)
        try:
            [self._key] = self._connection.execute(insert(rooms), row).inserted_primary_key or [0]
        except IntegrityError:
            raise BadRecord(f"the room {room.name} was there before") from None
        for user in room.invited:
            self._invited.add({"room_id": self._key, "user": user})
        self._room = room
        self._next = room.first_id

    def _message(self, message: archive.Message) -> None:
        if message.room != self._room.name or message.id != self._next or message.id > self._room.last_id:
            raise BadRecord(f"message {message.id} of {message.room} cannot stand here: {self._expected()}")
        self._next += 1
        row = {
            "room_id": self._key,
            "id": message.id,
            "sender": message.sender,
            "sent_at": message.at,
            "text": message.text,
            "size": message.size,
            "name": message.name,
            "folded": None if message.deleted else folded(message.text, message.name),
            "upload_id": None,
            "deleted": message.deleted,
        }
        if message.size:
            self._content = Content(UploadKey(fold(message.sender), _NOBODY, 0), message.size, message.at, row)
        else:
            self._messages.add(row)

    def _upload(self, upload: archive.Upload) -> None:
        self._content = Content(UploadKey(upload.user, upload.client, upload.number), upload.size, upload.touched_at)

    def _part(self, part: archive.Part) -> None:
        if self._content is None:
            raise BadRecord("a part stands behind something that has none")
        self._content.append(part)
        row = {"upload_id": self._content.upload.id, "offset": part.offset, "data": part.data}
        self._connection.execute(insert(parts), row)

    def _finish_content(self) -> None:
        content, self._content = self._content, None
        if content is None:
            return
        content.finish()
        if content.is_kept:
            self._uploads.add(content.upload.row(content.touched_at))
        if content.message is not None:
            self._messages.add(content.message)

    def _finish_room(self) -> None:
        if self._next <= self._room.last_id:
            raise BadRecord(self._expected())

    def _expected(self) -> str:
        if self._next > self._room.last_id:
            return f"{self._room.name} has no more messages than up to {self._room.last_id}"
        return f"message {self._next} of {self._room.name} has to come first"

    def _end(self, end: archive.End) -> None:
        self._finish_room()
        if end.records != self._taken:
            raise BadRecord(f"{end.records} records should stand before the end, not {self._taken}")
        for rows in self._rows:
            rows.flush()
        self._is_whole = True


class Content:
    """What parts are gathered for: an upload that is to have ``size`` bytes, and the row of its ``message``, if any."""

    def __init__(self, key: UploadKey, size: int, touched_at: int, message: dict[str, Any] | None = None) -> None:
        self.upload = Upload.begin(key)
        self.touched_at = touched_at
        self.message = message
        self._size = size

    def append(self, part: archive.Part) -> None:
        """Take the next part; raises :class:`BadRecord` if it is another one."""
        if part.offset != self.upload.size or part.offset + len(part.data) > self._size:
            raise BadRecord(f"a part for byte {part.offset} stands where byte {self.upload.size} has to follow")
        self.upload.append(part.data)

    def finish(self) -> None:
        """See that it is whole, and give it to its message."""
        if self.is_kept and self.upload.size != self._size:
            raise BadRecord(f"the content above has {self.upload.size} of its {self._size} bytes")
        if self.message is not None and self.is_kept:
            self.upload.state = UploadState.SENT
            self.message["upload_id"] = self.upload.id

    @property
    def is_kept(self) -> bool:
        """Whether there is anything to keep: a message that was deleted need have no content."""
        return self.message is None or not self.message["deleted"] or self.upload.size > 0
