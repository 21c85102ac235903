"""Search in a large room: how long it takes to its end and to the first hits, and what talk feels of it meanwhile."""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import URL, make_url

from bench.content import Talk
from storage import Batch, Open, Room, Send, Storage
from tests.mariadb import MariaDB
from tests.plain_client import PlainClient
from tests.processes import ServerProcess

BATCH = 5000  # messages stored at once
TIMES = 3  # that each search is made
LATIN = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in ("n", "lo", "rix", "tta", "st")]
OTHER = ["Größe", "Привет", "мир", "Καλημέρα", "你好", "世界", "Straße", "Çay"]


def texts(chance: random.Random) -> Iterator[str]:
    """Yield chat of about 100 bytes, one message in four with other letters; the very first has a word of its own."""
    yield "there is a needle in here"
    while True:
        words = chance.choices(LATIN, k=22)
        if chance.random() < 0.25:
            words[7:9] = chance.choices(OTHER, k=2)
        if chance.random() < 0.1:
            words[3] = "often"
        yield " ".join(words)


def fill(url: URL, messages: int) -> None:
    """Store so many messages in the lobby."""
    storage = Storage(url)
    storage.prepare()
    [room] = storage.commit(Batch([Open("lobby")], 1))
    assert isinstance(room, Room)
    said = texts(random.Random(1))
    for number, start in enumerate(range(0, messages, BATCH), 2):
        sends = [Send(None, 0, room.key, "ann", 1, [next(said)]) for _ in range(min(BATCH, messages - start))]
        storage.commit(Batch(sends, number))
    storage.close()


def alone(url: URL, messages: int, words: list[str]) -> None:
    """Look through the room as one reading thread does, and print what it takes."""
    storage = Storage(url)
    for span in (1000, 10_000, 50_000, messages):
        began, cpu = time.monotonic(), time.thread_time()
        hits = sum(
            len(storage.search(1, words, max(1, last - span + 1), last, 500)) for last in range(messages, 0, -span)
        )
        took = f"{time.monotonic() - began:.2f} s, {time.thread_time() - cpu:.2f} of them of its processor time"
        print(f"  {' '.join(words)}, slices of {span}: {took}, {hits} hits", flush=True)
    storage.close()


def through(client: PlainClient, query: str) -> str:
    """Ask until the end of the room, and tell how it went."""
    began = time.monotonic()
    first, hits = 0.0, 0
    where: dict[str, int] = {}
    for asked in count(1):
        client.say("search", ref=asked, query=query, limit=500, **where)
        *found, done = client.answer(asked)
        hits += len(found)
        if found and not first:
            first = time.monotonic() - began
        if "before" not in done:
            break
        where = {"before": done["before"]}
    took = time.monotonic() - began
    return f"{hits} hits, the first after {first * 1e3:.0f} ms, the end after {took:.2f} s and {asked} questions"


def measure(url: URL, messages: int) -> None:
    """Print what searches take alone, then through a server while somebody talks."""
    began = time.monotonic()
    fill(url, messages)
    print(f"{messages} messages stored within {time.monotonic() - began:.0f} s; one reading thread alone:", flush=True)
    for words in (["nowhere"], ["needle"], ["grösse", "мир"]):
        alone(url, messages, words)
    with ServerProcess(db=url.render_as_string(hide_password=False)) as server:
        client = server.connect()
        client.login("searcher", history=0)
        talking = Talk(server.port)
        time.sleep(3)
        print(f"  quiet: {talking.take()}")
        for query in ("nowhere", "needle", "often", "größe МИР"):
            for _ in range(TIMES - 1):  # so that enough is said meanwhile
                through(client, query)
            cpu = server.cpu()
            print(f"  {query}: {through(client, query)}; server: {server.cpu() - cpu:.1f} s of CPU; {talking.take()}")
        talking.stop()


def main() -> None:
    """Measure."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--messages", type=int, default=1_000_000)
    given = options.parse_args()
    with TemporaryDirectory() as folder:
        print("SQLite:", flush=True)
        measure(make_url(f"sqlite:///{Path(folder, 'chat.db')}"), given.messages)
    print("MariaDB:", flush=True)
    maria = MariaDB.shared()
    measure(maria.url(maria.create()), given.messages)


if __name__ == "__main__":
    main()
