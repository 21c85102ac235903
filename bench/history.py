"""Work (e): two hundred log in at once and ask for the last ten thousand messages of a room that has millions.

They have connected before. Milliseconds from the login until the first page of a hundred messages is there, and seconds
until everybody has all.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, Final

from sqlalchemy import make_url

from bench import runs
from bench.body import body
from bench.load import Broken, Crowd, Talker, names
from bench.peers import ConsoleChat, Served
from storage import Batch, Open, Room, Storage
from wire.frames import Login, Ping, encode

WANTED: Final = 10_000  # messages that each asks for
PAGE: Final = 100  # of these, the first that can be shown
SIZE: Final = 100  # bytes of each

_FILL: Final = """
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :messages)
INSERT INTO messages (room_id, id, sender, sent_at, text) SELECT :room, n, 'ann', 1764000000000, :text FROM numbers
"""


class OfMillions(ConsoleChat):
    """With a room that was filled before."""

    filled: ClassVar = ""  # URL of the database

    def __init__(self) -> None:
        super().__init__(self.filled)


class Reader(Talker):
    """A client that notes when it has its first page."""

    first_page_at = 0.0

    def take(self, size: int) -> int:  # noqa: D102
        came = super().take(size)
        if not self.first_page_at and self.received >= PAGE:
            self.first_page_at = time.monotonic()
        return came


def fill(path: Path, messages: int) -> str:
    """Make a database whose lobby has so many messages, and return its URL."""
    url = f"sqlite:///{path}"
    storage = Storage(make_url(url))
    storage.prepare()
    [room] = storage.commit(Batch([Open("lobby")], 1))
    assert isinstance(room, Room)
    storage.close()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA synchronous = OFF")
        values = {"messages": messages, "room": room.key, "text": body(0, 1, SIZE).decode()}
        database.execute(_FILL, values)
        database.execute("UPDATE rooms SET last_id = :messages WHERE id = :room", values)
    database.close()
    return url


def measure(server: Served, messages: int, clients: int) -> runs.Measured:
    """Let them read, and yield the figures."""
    with Crowd() as crowd:
        connected = [[(encode(Ping()), b'"pong"')]] * clients
        readers = [Reader(it) for it in crowd.enter(server.address, connected, server.at_once)]
        cpu, began = server.cpu(), time.monotonic()
        for reader, name in zip(readers, names(clients), strict=True):
            reader.say(encode(Login(name, client=name, rooms={"lobby": messages - WANTED})))
            crowd.add(reader)
            crowd.speaks(reader)
        crowd.until(lambda: crowd.arrived >= clients * WANTED)
        seconds, cpu = time.monotonic() - began, server.cpu() - cpu
        if any(reader.received != WANTED for reader in readers):
            raise Broken("somebody was given more than the rest")
    pages = sorted((reader.first_page_at - began) * 1e3 for reader in readers)
    figures = {f"p{percent}": pages[int(len(pages) * percent / 100)] for percent in (50, 99)}
    figures |= {"seconds": seconds, "cpu": cpu / clients / WANTED}
    yield [({"messages": messages, "clients": clients}, figures)]


def main() -> None:
    """Measure what the flags say."""
    flags = runs.flags(__doc__, [OfMillions])
    flags.add_argument("--messages", type=int, default=10_000_000, help="that the room has [10000000]")
    flags.add_argument("--clients", type=int, default=200, help="that read at once [200]")
    given = flags.parse_args()
    with TemporaryDirectory(prefix="bench-") as folder:
        OfMillions.filled = fill(Path(folder, "chat.db"), given.messages)
        runs.interleaved("history", given, [OfMillions], lambda it: measure(it, given.messages, given.clients))


if __name__ == "__main__":
    main()
