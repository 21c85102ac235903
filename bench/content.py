"""Large contents: how fast they go up and down, what they cost the server, and what talk feels of it meanwhile.

First one file up and down, beside a plain copy from a socket to a file; then many at once, while somebody talks.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import selectors
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.mariadb import MariaDB
from tests.processes import ServerProcess
from wire.frames import MAX_BODY, Fetch, Login, Part, Send, encode

MIB = 2**20
READ = 256 * 1024  # bytes
TALK_EVERY = 0.02  # seconds between two messages of who talks
BODY = bytes(range(256)) * 240


_names = (f"bench{number}" for number in count())


class Peer:
    """One connection, which says what ``frames`` gives as fast as it is taken and reads until ``mark`` has come."""

    def __init__(self, port: int, frames: Iterator[bytes], mark: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.sendall(encode(Login(next(_names), history=0)))
        self.socket.setblocking(False)
        self.done = False
        self.received = 0
        self._frames = frames
        self._rest = memoryview(b"")
        self._mark = mark
        self._end = b""
        self.saying = True

    def write(self) -> None:
        """Say what the socket takes."""
        with suppress(BlockingIOError):
            while True:
                if not self._rest:
                    frame = next(self._frames, None)
                    if frame is None:
                        self.saying = False
                        return
                    self._rest = memoryview(frame)
                self._rest = self._rest[self.socket.send(self._rest) :]

    def read(self) -> None:
        """Take what has come."""
        data = self.socket.recv(READ)
        if not data:
            raise SystemExit("the server closed a connection")
        self.received += len(data)
        self.done = self._mark in self._end + data
        self._end = data[-len(self._mark) :]


def upload(size: int) -> Iterator[bytes]:
    """Say a file of ``size`` bytes."""
    for offset in range(0, size, MAX_BODY):
        yield encode(Part(1, offset), BODY[: min(MAX_BODY, size - offset)])
    yield encode(Send(1, upload=1, size=size, name="bench"))


def run(peers: list[Peer]) -> None:
    """Serve all until each has got its mark."""
    selector = selectors.DefaultSelector()
    for peer in peers:
        selector.register(peer.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, peer)
    left = len(peers)
    while left:
        for key, events in selector.select(1):
            peer = key.data
            if events & selectors.EVENT_WRITE:
                peer.write()
                if not peer.saying:
                    selector.modify(peer.socket, selectors.EVENT_READ, peer)
            if events & selectors.EVENT_READ:
                peer.read()
                if peer.done:
                    selector.unregister(peer.socket)
                    left -= 1
    for peer in peers:
        peer.socket.close()


def up(port: int, files: int, size: int) -> None:
    """Upload ``files`` of them at once and wait until they are stored."""
    run([Peer(port, upload(size), b'"type":"ack"') for _ in range(files)])


def down(port: int, files: int, ids: list[int]) -> int:
    """Fetch as many contents at once; return how many bytes came."""
    peers = [Peer(port, iter([encode(Fetch(ids[number % len(ids)], 1))]), b'"type":"done"') for number in range(files)]
    run(peers)
    return sum(peer.received for peer in peers)


class Talk:
    """Somebody who says something every 20 ms, in a process of its own, and how long it takes until another has it."""

    def __init__(self, port: int) -> None:
        self._delays, told = multiprocessing.Pipe(duplex=False)
        self._process = multiprocessing.Process(target=talk, args=(port, told), daemon=True)
        self._process.start()

    def take(self) -> str:
        """Return p50 and p99 of what was measured since the last time."""
        delays = []
        while self._delays.poll():
            delays.append(self._delays.recv())
        delays.sort()
        return f"talk p50 {statistics.median(delays) * 1e3:.1f} ms, p99 {delays[int(len(delays) * 0.99)] * 1e3:.1f} ms"

    def stop(self) -> None:
        """Say nothing more."""
        self._process.terminate()
        self._process.join()


def talk(port: int, told: Connection) -> None:
    """Say something, wait until it is heard, and tell the seconds; again and again."""
    speaker, listener = (socket.create_connection(("127.0.0.1", port)) for _ in range(2))
    for name, each in (("speaker", speaker), ("listener", listener)):
        each.sendall(encode(Login(name, rooms={"talk": 0})))
        while b'"welcome"' not in each.recv(READ):
            pass
    speaker.setblocking(False)
    for seq in count(1):
        began = time.perf_counter()
        speaker.sendall(encode(Send(seq, room="talk"), b"mark%d." % seq))
        data = b""
        while b"mark%d." % seq not in data:
            data = data[-64:] + listener.recv(READ)
        took = time.perf_counter() - began
        told.send(took)
        with suppress(BlockingIOError):
            speaker.recv(READ)
        time.sleep(max(0.0, TALK_EVERY - took))


def plain_copy(size: int, folder: str) -> float:
    """Return the seconds that ``size`` bytes take from a socket to a file, synced at the end."""
    listener = socket.create_server(("127.0.0.1", 0))

    def feed() -> None:
        with socket.create_connection(listener.getsockname()) as sock:
            for _ in range(0, size, len(BODY)):
                sock.sendall(BODY)

    began = time.monotonic()
    threading.Thread(target=feed, daemon=True).start()
    peer, _ = listener.accept()
    with peer, Path(folder, "plain").open("wb") as file:
        while data := peer.recv(READ):
            file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return time.monotonic() - began


def measured(what: str, server: ServerProcess, size: int, work: Callable[[], object]) -> None:
    """Do ``work`` on ``size`` bytes and print what it took."""
    before, cpu, began = server.memory(), server.cpu(), time.monotonic()
    server.forget_peak()
    work()
    seconds = time.monotonic() - began
    print(
        f"{what}: {seconds:.1f} s, {size / seconds / 1e6:.0f} MB/s, server: {server.cpu() - cpu:.1f} s of CPU,"
        f" {(server.peak_memory() - before) / MIB:+.0f} MiB at the most ({before / MIB:.0f} before)",
        flush=True,
    )


def main() -> None:
    """Measure."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--size", type=int, default=2048, help="MiB of the one file")
    options.add_argument("--many", type=int, default=50, help="files at once")
    options.add_argument("--each", type=int, default=256, help="MiB of each of them")
    options.add_argument("--db", help="SQLAlchemy URL, or mariadb for one of its own [default: SQLite]")
    given = options.parse_args()
    url = given.db
    if url == "mariadb":
        maria = MariaDB.shared()
        url = maria.url(maria.create()).render_as_string(hide_password=False)
    size, each = given.size * MIB, given.each * MIB
    with TemporaryDirectory() as folder:
        seconds = plain_copy(size, folder)
        print(f"{given.size} MiB from a socket to a file: {seconds:.1f} s, {size / seconds / 1e6:.0f} MB/s", flush=True)
    with ServerProcess(db=url) as server:
        talking = Talk(server.port)
        time.sleep(5)
        print(f"quiet: {talking.take()}")
        measured("one file up", server, size, lambda: up(server.port, 1, size))
        print(talking.take())
        measured("one file down", server, size, lambda: down(server.port, 1, [1]))
        print(talking.take())
        many = given.many
        measured(f"{many} files up", server, many * each, lambda: up(server.port, many, each))
        print(talking.take())
        ids = list(range(2, 2 + many))
        measured(f"{many} files down", server, many * each, lambda: down(server.port, many, ids))
        print(talking.take())

        def both() -> None:
            fetching = threading.Thread(target=down, args=(server.port, many, ids))
            fetching.start()
            run([Peer(server.port, upload(each // 4), b'"type":"ack"') for _ in range(many)])
            fetching.join()

        measured(f"{many} up (a quarter) and {many} down at once", server, many * each * 5 // 4, both)
        print(talking.take())
        talking.stop()


if __name__ == "__main__":
    main()
