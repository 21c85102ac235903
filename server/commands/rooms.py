"""``rooms``: which rooms there are, and how much is in them."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

from server.commands.command import OnDatabase
from storage.access import existing
from storage.interface import Room, UnknownMessage
from storage.sql import Storage


class Rooms(OnDatabase):
    """A line for each room, sorted by name; behind that of a talk of two stands who is in it."""

    def run(self) -> int:
        """List."""
        with existing(self.db), closing(Storage(self.db)) as storage:
            print(f"{'messages':>12} {'first':>12} {'last':>12}  {'newest':20}  room")
            parties = storage.parties()
            for room in storage.rooms(talks=True):
                count = room.last_id - room.first_id + 1
                name = f"{room.name} {' '.join(parties.get(room.key, []))}".rstrip()
                print(f"{count:12} {room.first_id:12} {room.last_id:12}  {_newest(storage, room):20}  {name}")
        return 0


def _newest(storage: Storage, room: Room) -> str:
    try:
        sent_at = storage.get(room.name, room.last_id).sent_at
    except UnknownMessage:
        return "-"
    return datetime.fromtimestamp(sent_at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
