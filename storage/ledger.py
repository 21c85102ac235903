"""What one batch does to senders and rooms, worked out in memory between their lock and the commit.

Knows of no database: rows go in, entries are carried out in their order, rows to be written come out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from storage.interface import Entry, LoggedIn, Login, Open, Outcome, Refuse, Room, Send, Sender
from wire.names import fold

SenderKey = tuple[str, bytes]  # the folded user, the client


@dataclass(slots=True)
class SenderRow:
    """How far a client program is; one that is not known is at 0."""

    epoch: int = 0
    received: int = 0


@dataclass(slots=True)
class Touched:
    """The rows that entries need, to be locked before anything is worked out."""

    senders: set[SenderKey] = field(default_factory=set)
    rooms: set[int] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict)  # folded → as written, of rooms that may be new

    @classmethod
    def by(cls, entries: Iterable[Entry]) -> Touched:
        """Return what ``entries`` touch."""
        touched = cls()
        for entry in entries:
            if isinstance(entry, Open):
                touched.names.setdefault(fold(entry.name), entry.name)
            elif isinstance(entry, Login):
                if entry.client is not None:
                    touched.senders.add((entry.user, entry.client))
            else:
                if isinstance(entry, Send):
                    touched.rooms.add(entry.room)
                if entry.sender is not None:
                    touched.senders.add((entry.sender.user, entry.sender.client))
        return touched


class Ledger:
    """Rows as they were locked, then as the entries that are carried out leave them."""

    def __init__(self, senders: dict[SenderKey, SenderRow], rooms: Iterable[Room]) -> None:
        self._senders = senders
        self._rooms = {room.key: room for room in rooms}
        self._keys = {fold(room.name): room.key for room in self._rooms.values()}
        self._last_ids = {room.key: room.last_id for room in self._rooms.values()}
        self.messages: list[dict[str, Any]] = []

    def carry_out(self, entry: Entry) -> Outcome:
        """Do what ``entry`` says and return its outcome; raises LookupError for a room that was never opened."""
        if isinstance(entry, Send):
            return self._number(entry) if self._receive(entry) else None
        if isinstance(entry, Refuse):
            return self._receive(entry)
        if isinstance(entry, Login):
            return self._log_in(entry)
        return self._room(self._keys[fold(entry.name)])

    def changed_senders(self, seen_at: int) -> list[dict[str, Any]]:
        """Return the rows of all senders, seen at that moment."""
        return [
            {"user": user, "client": client, "epoch": row.epoch, "received": row.received, "seen_at": seen_at}
            for (user, client), row in self._senders.items()
        ]

    def changed_rooms(self) -> list[dict[str, Any]]:
        """Return the rows of the rooms that have new messages."""
        return [
            {"id": key, "name": room.name, "folded": fold(room.name), "first_id": room.first_id, "last_id": last_id}
            for key, room in self._rooms.items()
            if (last_id := self._last_ids[key]) != room.last_id
        ]

    def _room(self, key: int) -> Room:
        return replace(self._rooms[key], last_id=self._last_ids[key])

    def _log_in(self, login: Login) -> LoggedIn:
        if login.client is None:
            return LoggedIn(None, 0)
        row = self._senders[login.user, login.client]
        row.epoch += 1
        return LoggedIn(Sender(login.user, login.client, row.epoch), row.received)

    def _receive(self, entry: Send | Refuse) -> bool:
        """Count the entry as received; return False if it is to be left out."""
        if entry.sender is None:
            return True
        row = self._senders[entry.sender.user, entry.sender.client]
        if entry.sender.epoch < row.epoch or entry.seq <= row.received:
            return False
        row.epoch = entry.sender.epoch  # higher only if the database was restored from a copy
        row.received = entry.seq
        return True

    def _number(self, send: Send) -> int:
        text, folded = send.text, fold(send.text)
        id = self._last_ids[send.room] = self._last_ids[send.room] + 1
        self.messages.append(
            {
                "room_id": send.room,
                "id": id,
                "sender": send.by,
                "sent_at": send.at,
                "text": text,
                "folded": None if folded == text else folded,
            }
        )
        return id
