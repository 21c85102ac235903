"""A restart under a talk: the longest silence that each client heard, and that nothing was lost.

The server's socket is held meanwhile, as systemd holds it. The clients do as ``cli.Client`` does: they come back after
its pause, go on behind the last message that they have, and send again what the server has not received.
"""

from __future__ import annotations

import argparse
import re
import selectors
import socket
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from heapq import heappop, heappush
from threading import Thread

from twisted.application.internet import backoffPolicy

from server.sockets import raise_file_limit
from tests.mariadb import MariaDB
from tests.processes import ServerProcess
from wire.frames import Login, Send, encode

READ = 256 * 1024  # bytes
TALKERS = 50
PAUSE = backoffPolicy(initialDelay=0.2, maxDelay=60)  # that of cli.Client
TEXT = b"x" * 100

_MESSAGE = re.compile(rb'"type":"message","room":"lobby","id":(\d+),')
_RECEIVED = re.compile(rb'"received":(\d+)')
_LONGEST = 64  # bytes that one of these may have


class Client:
    """Somebody in the lobby, and how long they heard nothing."""

    def __init__(self, name: str, port: int) -> None:
        self.longest = 0.0  # seconds
        self.last = 0  # id
        self.wrong = 0  # messages that were not the next one
        self.said = 0
        self._name = name
        self._port = port
        self._heard_at = 0.0

    def connect(self) -> None:
        """Connect, and log in as who was here before."""
        self._rest = b""
        self._in = False
        self.socket = socket.create_connection(("127.0.0.1", self._port))
        self.socket.sendall(encode(Login(self._name, client=self._name, rooms={"lobby": self.last})))
        self.socket.setblocking(False)

    def say(self) -> None:
        """Say something; without a connection it is said later."""
        self.said += 1
        if self._in:
            self._send(self.said)

    def read(self) -> bool:
        """Read once; False where the connection has ended."""
        try:
            data = self.socket.recv(READ)
        except ConnectionError:
            data = b""
        if not data:
            self.socket.close()
            self._in = False
            return False
        self._take(self._rest + data)
        return True

    def _take(self, data: bytes) -> None:
        if not self._in and (welcome := _RECEIVED.search(data)):
            self._in = True
            for seq in range(int(welcome[1]) + 1, self.said + 1):
                self._send(seq)
        end = 0
        for message in _MESSAGE.finditer(data):
            self._hear(int(message[1]))
            end = message.end()
        self._rest = data[end:][-_LONGEST:]

    def _hear(self, id: int) -> None:
        now = time.monotonic()
        if self.last:
            self.longest = max(self.longest, now - self._heard_at)
        self.wrong += id != self.last + 1
        self.last, self._heard_at = id, now

    def _send(self, seq: int) -> None:
        try:
            self.socket.send(encode(Send(seq), TEXT))
        except OSError:  # it is said again on the next connection
            self._in = False


class Crowd:
    """Clients that talk, in one loop."""

    def __init__(self, port: int, count: int, rate: float) -> None:
        self.clients = [Client(f"user{number}", port) for number in range(count)]
        self._rate = rate
        self._selector = selectors.DefaultSelector()
        self._away: list[tuple[float, int]] = []  # when a client comes back
        for number in range(count):
            self._connect(number)

    def talk(self, restarts: Thread) -> None:
        """Talk until the restarts have ended, and then until everybody has heard everything, or nothing for long."""
        began = time.monotonic()
        said = 0
        while restarts.is_alive():
            while time.monotonic() - began >= said / self._rate:
                self.clients[said % min(TALKERS, len(self.clients))].say()
                said += 1
            self._turn()
        until = time.monotonic() + 30
        while any(client.last < said for client in self.clients) and time.monotonic() < until:
            self._turn()

    def silences(self) -> list[float]:
        """Return how long each client heard nothing since this was asked last, the longest each time, sorted."""
        silences = sorted(client.longest for client in self.clients)
        for client in self.clients:
            client.longest = 0.0
        return silences

    def _turn(self) -> None:
        now = time.monotonic()
        while self._away and self._away[0][0] <= now:
            self._connect(heappop(self._away)[1])
        for key, _ in self._selector.select(0.005):
            if not self.clients[key.data].read():
                self._selector.unregister(key.fileobj)
                heappush(self._away, (now + PAUSE(1), key.data))

    def _connect(self, number: int) -> None:
        client = self.clients[number]
        client.connect()
        self._selector.register(client.socket, selectors.EVENT_READ, number)


def one_after_the_other(held: socket.socket) -> Generator[None, None, None]:
    """Serve on SQLite: the next server begins when the last one has ended."""
    with ServerProcess.behind(held) as server:
        yield
        while True:
            began = time.monotonic()
            server.terminate()
            ended = time.monotonic()
            server.start()
            print(f"down after {ended - began:.2f} s, serving {time.monotonic() - ended:.2f} s later", flush=True)
            yield


def one_beside_the_other(held: socket.socket) -> Generator[None, None, None]:
    """Serve on MariaDB: the next server serves before the last one is told to end."""
    database = MariaDB.shared()
    db = database.url(database.create()).render_as_string(hide_password=False)
    one, other = (ServerProcess.behind(held, db=db) for _ in range(2))
    with closing(one), closing(other):
        one.start()
        yield
        while True:
            other.start()
            began = time.monotonic()
            one.terminate()
            print(f"another one serves; down after {time.monotonic() - began:.2f} s", flush=True)
            one, other = other, one
            yield


def go_on(restarts: Iterator[None], crowd: Crowd, count: int, seconds: float) -> None:
    """Restart so many times, with so many seconds before and after each, and print the silences."""
    for _ in range(count):
        time.sleep(seconds)
        crowd.silences()
        next(restarts)
        time.sleep(seconds)
        silences = crowd.silences()
        print(f"the longest silence: {silences[len(silences) // 2]:.2f} s in the middle, {silences[-1]:.2f} s at most")


def check(clients: list[Client]) -> None:
    """See that everybody heard everything once."""
    said = sum(client.said for client in clients)
    least = min(client.last for client in clients)
    wrong = sum(client.wrong for client in clients)
    print(f"{said} messages said, at least {least} heard by each, {wrong} out of turn")
    if wrong or any(client.last != said for client in clients):
        raise SystemExit("not everybody heard everything once")


def main() -> None:
    """Run what the flags say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=50, help="messages a second [50]")
    parser.add_argument("--seconds", type=float, default=5, help="of talk before and after each restart [5]")
    parser.add_argument("--restarts", type=int, default=3)
    parser.add_argument(
        "--mariadb", action="store_true", help="on a MariaDB: the new server serves before the old ends"
    )
    options = parser.parse_args()
    raise_file_limit()
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as held:
        servers = one_beside_the_other(held) if options.mariadb else one_after_the_other(held)
        with closing(servers):
            next(servers)
            crowd = Crowd(held.getsockname()[1], options.clients, options.rate)
            restarts = Thread(target=go_on, args=(servers, crowd, options.restarts, options.seconds))
            restarts.start()
            crowd.talk(restarts)
            restarts.join()
    check(crowd.clients)


if __name__ == "__main__":
    main()
