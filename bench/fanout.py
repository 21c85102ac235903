"""Deliveries a second: a few talk as fast as they are let, many listen, all on this machine.

The server runs with its defaults on an SQLite file of its own, so each message is committed and synced before anyone
sees it. Counted is what arrives: every receiver must get every message.
"""

from __future__ import annotations

import argparse
import selectors
import socket
import time

from server.sockets import raise_file_limit
from tests.processes import ServerProcess
from wire.frames import Login, Send, encode

MARK = b"\x01"  # begins each message's text and stands nowhere else, so counting it counts messages
READ = 256 * 1024  # bytes


class Talker:
    """One connection that says ``outgoing`` and counts the messages that come."""

    def __init__(self, port: int, name: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.sendall(encode(Login(name)))
        greeting = b""
        while b'"welcome"' not in greeting:
            greeting += self.socket.recv(READ)
        self.socket.setblocking(False)
        self.outgoing = memoryview(b"")
        self.received = 0

    def read(self) -> int:
        """Take what came and return how many messages that is."""
        data = self.socket.recv(READ)
        if not data:
            raise SystemExit("the server closed a connection")
        came = data.count(MARK)
        self.received += came
        return came

    def write(self) -> bool:
        """Say what the socket takes and tell whether more is left to be said."""
        self.outgoing = self.outgoing[self.socket.send(self.outgoing) :]
        return bool(self.outgoing)


def run(talkers: list[Talker], deliveries: int) -> float:
    """Let them talk until all was delivered; returns the seconds that it took."""
    with selectors.DefaultSelector() as selector:
        for talker in talkers:
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if talker.outgoing else 0)
            selector.register(talker.socket, events, talker)
        began = time.monotonic()
        while deliveries > 0:
            for key, events in selector.select():
                if events & selectors.EVENT_READ:
                    deliveries -= key.data.read()
                if events & selectors.EVENT_WRITE and not key.data.write():
                    selector.modify(key.fileobj, selectors.EVENT_READ, key.data)
        return time.monotonic() - began


def main() -> None:
    """Measure once and print the figures."""
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    flags.add_argument("--receivers", type=int, default=1000, help="connections that listen")
    flags.add_argument("--senders", type=int, default=10, help="connections that talk, and listen too")
    flags.add_argument("--messages", type=int, default=50_000, help="how many they say together")
    flags.add_argument("--size", type=int, default=100, help="bytes of each")
    given = flags.parse_args()
    raise_file_limit()

    each = given.messages // given.senders
    body = MARK + b"x" * (given.size - 1)
    with ServerProcess("--history", "0") as server:
        talkers = [Talker(server.port, f"talker{n}") for n in range(given.senders + given.receivers)]
        for sender in talkers[: given.senders]:
            said = (encode(Send(seq), body) for seq in range(1, each + 1))
            sender.outgoing = memoryview(b"".join(said))
        deliveries = each * given.senders * len(talkers)
        cpu = server.cpu()
        seconds = run(talkers, deliveries)
        cpu = server.cpu() - cpu
        assert all(talker.received == each * given.senders for talker in talkers)
        print(f"{each * given.senders:,} messages of {given.size} bytes to {len(talkers):,} connections")
        print(f"{deliveries / seconds:14,.0f} deliveries a second")
        print(f"{cpu / deliveries * 1e6:14.3f} microseconds of the server's processor time a delivery")
        print(f"{server.peak_memory() / 2**20:14.0f} MiB of its memory at most")


if __name__ == "__main__":
    main()
