"""A chat with one of everything in it, and what the operator's commands make of a database."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import create_engine

from storage import Content, Open, Piece, Refuse, Register, Role, Room, SendContent, Storage, UploadKey, archive
from storage.access import existing, prepared, snapshot, writing
from storage.archive import AnyRecord
from storage.checking import CHECKS, faults
from storage.order import Act, Close, Impose, Invite, Kind, Ruling, Sanction
from storage.restoring import Restoring
from storage.talks import Party, Talk
from tests.storage.databases import ANN, Cases, Journal, send

NOW = 1_764_000_000_000  # milliseconds since 1970
HASH = f"$argon2id$v=19$m=19456,t=2,p=1${'A' * 22}${'A' * 43}"
EMPTY = b'{"type":"chat","version":1}\n{"type":"end","records":1}\n'  # the export of a chat without a room
FILE = bytes(range(256)) * 1024  # a row as the server stores it
TALK = Talk.of(Party("Žoë", NOW), Party("Ann", NOW))
UNICODE = "Ünïcödé ﬁ \N{PILE OF POO} \u202e\0\x1b[2J \r\n ẞ \u0600\ud7ff\U0010ffff"


class Operated(Cases):
    def everything(self) -> None:
        """Store texts, files, large texts, what is deleted, pruned, empty, refused and not finished."""
        storage = self.open()
        journal = Journal(storage)
        ann = journal.known_sender()
        lobby, _, pruned, gone = map(journal.open, ("lobby", "Empty", "Ärger", "gone"))
        journal.commit(
            send(lobby, "hello", sender=ann), send(lobby, UNICODE), send(lobby, ""), send(lobby, "x" * 61_440)
        )
        for number, (size, name) in enumerate([(3, "ümläut.bin"), (1, None), (0, "empty"), (2, "gone")], 1):
            key = UploadKey("ann", ANN.client or b"", number)
            data = FILE if name else "Ñ".encode() * (len(FILE) // 2)
            for index in range(size):
                journal.commit(Piece(ann, key, index * len(data), data))
            journal.commit(SendContent(ann, 1 + number, lobby.key, "ann", NOW, Content(key, size * len(data), name)))
        journal.commit(Piece(ann, UploadKey("ann", ANN.client or b"", 7), 0, FILE[:1000]), Refuse(ann, 9))
        journal.commit(*(send(pruned, f"message {n}") for n in range(10)), *(send(gone) for _ in range(3)))
        journal.commit(Register("Ann", HASH, None, NOW, Role.OPERATOR), Register("Žoë", HASH, None, NOW))
        self.change(
            f"UPDATE messages SET deleted = 1, text = '', folded = NULL WHERE id = 3 AND room_id = {lobby.key}",
            "UPDATE messages SET deleted = 1, text = '', name = NULL, folded = NULL, upload_id = NULL WHERE id = 8"
            f" AND room_id = {lobby.key}",
            "UPDATE uploads SET state = 2, number = NULL"
            " WHERE state = 1 AND NOT EXISTS (SELECT 1 FROM messages WHERE upload_id = uploads.id)",
            f"UPDATE rooms SET first_id = 6 WHERE id = {pruned.key}",
            f"UPDATE rooms SET first_id = 4 WHERE id = {gone.key}",
            "DELETE FROM messages WHERE id < (SELECT first_id FROM rooms WHERE rooms.id = room_id)",
        )
        [den] = journal.commit(Open("den", "ann"))
        assert isinstance(den, Room)
        sanctions = (
            Sanction(Kind.BAN, "192.0.2.0/24", NOW, UNICODE, "root", 1),
            Sanction(Kind.MUTE, "eve", None, "", "root", 2),
        )
        acts = [Act(at, "root", "ban", "192.0.2.0/24", "", UNICODE) for at in range(3)]
        journal.commit(Ruling(acts[0], (*map(Impose, sanctions), Close(den.key), Invite(den.key, "bob"))))
        journal.commit(*(Ruling(act, (Invite(den.key, "ann"),)) for act in acts[1:]))
        [room] = journal.commit(Open(TALK.name, talk=TALK))
        assert isinstance(room, Room)
        journal.commit(send(room, "between us"))

    def change(self, *statements: str) -> None:
        """Change the database behind everyone's back."""
        engine = create_engine(self.url)
        self.addCleanup(engine.dispose)
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def room(self, name: str) -> int:
        """Return a room's key."""
        return next(room.key for room in self.open().rooms(talks=True) if room.name == name)

    def exported(self) -> list[AnyRecord]:
        with existing(self.url) as engine, snapshot(engine) as connection:
            return list(archive.read(connection))

    def restore(self, records: Iterable[AnyRecord]) -> None:
        with prepared(self.url) as engine, writing(engine) as connection:
            restoring = Restoring(connection)
            for record in records:
                restoring.take(record)
            restoring.finish()

    def faults(self) -> list[str]:
        with existing(self.url) as engine, snapshot(engine) as connection:
            return [fault for check in CHECKS for fault in faults(connection, check)]


def contents(storage: Storage) -> dict[tuple[str, int], bytes]:
    """Return the content of every message that has one."""
    found = {}
    for room in storage.rooms(talks=True):
        for message in storage.get_all(room.name):
            if not message.deleted:
                data = b""
                while piece := storage.content(room.key, message.id, len(data)):
                    data += piece
                found[room.name, message.id] = data
    return found
