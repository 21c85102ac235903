"""A crowd: many clients log in at once, one message goes to all, then a quiet talk goes on for a while.

Prints how long the logins and the message took, what every client got, and the server's memory and processor time.
"""

from __future__ import annotations

import argparse
import selectors
import socket
import time

from server.sockets import raise_file_limit
from tests.mariadb import MariaDB
from tests.processes import ServerProcess
from wire.frames import Login, Send, encode

READ = 256 * 1024  # bytes
TALKERS = 20


class Crowd:
    """Clients of the server at ``port``, read by one loop."""

    def __init__(self, port: int, count: int) -> None:
        self.selector = selectors.DefaultSelector()
        self.sockets = [self._connect(port, number) for number in range(count)]

    def _connect(self, port: int, number: int) -> socket.socket:
        peer = socket.create_connection(("127.0.0.1", port))
        peer.sendall(encode(Login(f"user{number}", client=f"client{number}")))
        peer.setblocking(False)
        self.selector.register(peer, selectors.EVENT_READ, number)
        return peer

    def read_until(self, mark: bytes, count: int, limit: float) -> float:
        """Read until each client has got ``mark`` ``count`` times; return the seconds that it took."""
        began = time.monotonic()
        got = [0] * len(self.sockets)
        missing = len(got)
        while missing:
            if time.monotonic() - began > limit:
                raise SystemExit(f"{missing} clients still lack {mark!r} after {limit} s")
            missing -= self.read(mark, count, got, 1)
        return time.monotonic() - began

    def read(self, mark: bytes, count: int, got: list[int], wait: float) -> int:
        """Read what is there, count ``mark`` into ``got`` and return for how many clients ``count`` is reached now."""
        finished = 0
        for key, _ in self.selector.select(wait):
            data = key.fileobj.recv(READ)  # type: ignore[union-attr]
            if not data:
                raise SystemExit(f"the server closed client {key.data}")
            before = got[key.data]
            got[key.data] += data.count(mark)
            finished += before < count <= got[key.data]
        return finished


def figures(server: ServerProcess, seconds: float, cpu: float) -> str:
    """Return what the server took since ``cpu``."""
    used = server.cpu() - cpu
    return f"{server.memory() / 2**20:.0f} MB, {used:.2f} s of processor time, {100 * used / seconds:.0f} % of a core"


def main() -> None:
    """Run what the flags say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=0, help="how long to talk [0: not at all]")
    parser.add_argument("--rate", type=float, default=20, help="messages a second [20]")
    parser.add_argument("--mariadb", action="store_true", help="on a MariaDB of its own, not on SQLite")
    options = parser.parse_args()
    raise_file_limit()
    db = None
    if options.mariadb:
        database = MariaDB.shared()
        db = database.url(database.create()).render_as_string(hide_password=False)
    with ServerProcess(db=db) as server:
        print(f"{server.memory() / 2**20:.0f} MB without clients")
        began, cpu = time.monotonic(), server.cpu()
        crowd = Crowd(server.port, options.clients)
        crowd.read_until(b'"type":"welcome"', 1, 60)
        seconds = time.monotonic() - began
        print(f"{options.clients} clients logged in within {seconds:.2f} s; {figures(server, seconds, cpu)}")
        crowd.sockets[0].send(encode(Send(1), b"\x01hello"))
        milliseconds = 1000 * crowd.read_until(b"\x01", 1, 10)
        print(f"one message to all of them took {milliseconds:.0f} ms")
        if options.seconds:
            talk(server, crowd, options.seconds, options.rate)
        print(f"the server ended with status {server.terminate()}")


def talk(server: ServerProcess, crowd: Crowd, seconds: float, rate: float) -> None:
    """Have :data:`TALKERS` clients talk and see that everybody gets everything."""
    began, cpu = time.monotonic(), server.cpu()
    total = int(seconds * rate)
    got = [0] * len(crowd.sockets)
    said = finished = 0
    while finished < len(got):
        if said < total and time.monotonic() - began >= said / rate:
            seq = said // TALKERS + 1
            crowd.sockets[1 + said % TALKERS].send(encode(Send(seq), b"\x01" + b"x" * 99))
            said += 1
        finished += crowd.read(b"\x01", total, got, 0.005)
        if time.monotonic() - began > 2 * seconds + 30:
            raise SystemExit("not all of it arrived")
    took = time.monotonic() - began
    print(f"{total} messages in {took:.1f} s, all {len(got)} clients got all of them; {figures(server, took, cpu)}")


if __name__ == "__main__":
    main()
