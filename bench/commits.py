"""One commit of one message, by the storage alone: what durability costs a message that nobody shares a commit with.

Milliseconds of a batch, whose transaction is synced when it returns.
"""

from __future__ import annotations

import time
from typing import Final

from sqlalchemy import make_url

from bench import runs
from bench.body import body
from bench.peers import ChatOnMariaDB, ConsoleChat, Served
from storage import Batch, LoggedIn, Login, Open, Room, Send, Storage

COMMITS: Final = 500
SIZE: Final = 100  # bytes of a message


def measure(url: str, commits: int) -> runs.Figures:
    """Commit so many messages, one after the other, and return how long that takes."""
    storage = Storage(make_url(url))
    storage.prepare()
    room, sender = storage.commit(Batch([Open("lobby"), Login("ann", bytes(32))], 1))
    assert isinstance(room, Room)
    assert isinstance(sender, LoggedIn)
    took = []
    for number in range(1, commits + 1):
        send = Send(sender.sender, number, room.key, "ann", 1, [body(1, number, SIZE).decode()])
        began = time.monotonic()
        storage.commit(Batch([send], number + 1))
        took.append((time.monotonic() - began) * 1e3)
    storage.close()
    took.sort()
    return {f"p{percent:g}": took[int(commits * percent / 100)] for percent in (50, 99, 99.9)}


def measured(server: Served) -> runs.Measured:
    """Yield the figures of the database that ``server`` was started with; it does nothing itself."""
    assert isinstance(server, ConsoleChat)
    yield [({}, measure(server.url, COMMITS))]


def main() -> None:
    """Measure what the flags say."""
    servers = (ConsoleChat, ChatOnMariaDB)
    given = runs.flags(__doc__, servers).parse_args()
    runs.interleaved("commits", given, servers, measured)


if __name__ == "__main__":
    main()
