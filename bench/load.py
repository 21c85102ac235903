"""The load: thousands of connections in one loop, which counts what arrives by looking at it in bulk.

A stream of messages of one length has a mark at every so many bytes, so a look at those bytes tells how many messages
have come; only where that does not hold is each mark searched for. Witnesses among the receivers look at each message.
"""

from __future__ import annotations

import re
import resource
import select
import socket
import time
from array import array
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import count, islice
from typing import Final

from bench.body import BODY, MARK

READ: Final = 256 * 1024  # bytes read at once
FILES: Final = 65_536  # open at once, where that can be had
EVENTS: Final = 64  # looked at before something else may be done, like saying what is due
PATIENCE: Final = 30.0  # seconds without a byte after which a run has failed

Step = tuple[bytes, bytes]  # what a connection says, and what stands in the answer that lets it go on

buffer = bytearray(READ)  # what was read last, by whichever connection
_numbers = count()


class Broken(Exception):
    """What was measured is not what should have been: a server dropped somebody, or lost something."""


class Connection:
    """One connection to a server; what it is sent is read and forgotten."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self._recv_into = sock.recv_into

    def read(self) -> int:
        """Read once and return how many messages ended in that."""
        size = self._recv_into(buffer)
        if not size:
            raise Broken("the server closed a connection")
        return self.take(size)

    def take(self, size: int) -> int:  # noqa: ARG002
        """So many bytes have come into :data:`buffer`; return how many messages ended in them."""
        return 0

    def write(self) -> bool:
        """Say what the socket takes and tell whether more is left to be said."""
        return False


class Sender(Connection):
    """A connection that has something to say."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self._left = memoryview(b"")

    def say(self, data: bytes) -> None:
        """Say ``data`` next, as soon as the socket takes it."""
        self._left = memoryview(bytes(self._left) + data) if self._left else memoryview(data)

    def write(self) -> bool:  # noqa: D102
        with suppress(BlockingIOError):
            self._left = self._left[self.socket.send(self._left) :]
        return bool(self._left)


class Receiver(Connection):
    """A connection that counts the messages that come."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self.received = 0
        self._period = 1  # bytes from one mark to the next, as far as is known
        self._since = 0  # bytes that came after the last mark

    def take(self, size: int) -> int:  # noqa: D102
        came = self._count(size)
        self.received += came
        return came

    def _count(self, size: int) -> int:
        due = self._period - self._since - 1
        if due >= 0:
            marks = buffer[due : size : self._period]
            came = len(marks)
            last = due + (came - 1) * self._period if came else -1
            if marks.count(MARK) == came and buffer.find(MARK, last + 1, size) < 0:
                self._since = size - last - 1 if came else self._since + size
                return came
        return self._search(size)

    def _search(self, size: int) -> int:
        """Count mark by mark, and learn the period where the last three stand equally far apart."""
        came = buffer.count(MARK, 0, size)
        if not came:
            self._since += size
            return 0
        last = buffer.rfind(MARK, 0, size)
        self._since = size - last - 1
        if came > 2:
            before = buffer.rfind(MARK, 0, last)
            if last - before == before - buffer.rfind(MARK, 0, before):
                self._period = last - before
        return came


class Witness(Receiver):
    """A receiver that looks at each message: nothing is missing, doubled, altered, or out of its sender's order."""

    def __init__(self, sock: socket.socket, size: int) -> None:
        super().__init__(sock)
        self.delays = array("q")  # nanoseconds, of the messages that tell when they were said
        self.order = 0  # a number that stands for the order in which all came
        self._size = size
        self._last: dict[int, int] = {}
        self._rest = b""

    def take(self, size: int) -> int:  # noqa: D102
        now = time.monotonic_ns()
        whole, mark, rest = (self._rest + buffer[:size]).rpartition(MARK)
        self._rest = bytes(rest)
        came = 0
        for message in BODY.finditer(whole + mark):
            self._see(message, now)
            came += 1
        self.received += came
        return came

    def _see(self, message: re.Match[bytes], now: int) -> None:
        sender, number, stamp = map(int, message.groups())
        expected = self._last.get(sender, 0) + 1
        if number != expected:
            raise Broken(f"a receiver got message {number} of sender {sender} in place of {expected}")
        if len(message[0]) != self._size:
            raise Broken(f"a message of {self._size} bytes came with {len(message[0])}")
        self._last[sender] = number
        self.order = hash((self.order, sender, number))
        if stamp:
            self.delays.append(now - stamp)


class Talker(Receiver, Sender):
    """A connection that both counts what comes and has something to say."""


class Entering(Sender):
    """A connection on its way in: it says one step after the other, each when the one before was answered."""

    def __init__(self, sock: socket.socket, steps: Sequence[Step], entered: Callable[[socket.socket], None]) -> None:
        super().__init__(sock)
        self._steps = iter(steps)
        self._entered = entered
        self._seen = b""
        self._next()

    def take(self, size: int) -> int:  # noqa: D102
        self._seen += buffer[:size]
        if self._until in self._seen:
            self._seen = b""
            self._next()
        return 0

    def _next(self) -> None:
        said, self._until = next(self._steps, (b"", b""))
        if not said:
            self._entered(self.socket)
            return
        self.say(said)
        self.write()


class Crowd:
    """All connections of a load, read by one loop. ``with Crowd() as crowd``: they are closed at its end."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._all: dict[int, Connection] = {}
        self.arrived = 0  # messages that ended at any receiver

    def __enter__(self) -> Crowd:
        return self

    def __exit__(self, *_: object) -> None:
        for connection in self._all.values():
            connection.socket.close()
        self._epoll.close()

    def add(self, connection: Connection) -> None:
        """Read ``connection`` from now on, in place of what its socket was before."""
        known = connection.socket.fileno() in self._all
        self._all[connection.socket.fileno()] = connection
        if not known:
            self._epoll.register(connection.socket, select.EPOLLIN)

    def leave_alone(self, connection: Connection) -> None:
        """Read ``connection`` no more; it stays connected."""
        self._epoll.unregister(connection.socket)

    def speaks(self, sender: Sender) -> None:
        """``sender`` has something to say."""
        if sender.write():
            self._epoll.modify(sender.socket, select.EPOLLIN | select.EPOLLOUT)

    def turn(self, wait: float) -> bool:
        """Serve some of what is there, waiting for it ``wait`` seconds at most; say whether there was anything."""
        events = self._epoll.poll(wait, EVENTS)
        for number, event in events:
            connection = self._all[number]
            if event & ~select.EPOLLOUT:
                self.arrived += connection.read()
            if event & select.EPOLLOUT and not connection.write():
                self._epoll.modify(number, select.EPOLLIN)
        return bool(events)

    def until(self, done: Callable[[], bool]) -> float:
        """Serve until ``done()`` and return the seconds that it took; raises :class:`Broken` where nothing comes."""
        began = heard = time.monotonic()
        while not done():
            if self.turn(1):
                heard = time.monotonic()
            elif time.monotonic() - heard > PATIENCE:
                raise Broken(f"nothing came for {PATIENCE:.0f} seconds")
        return time.monotonic() - began

    def enter(self, address: tuple[str, int], steps: Iterable[Sequence[Step]], at_once: int) -> list[socket.socket]:
        """Connect and go through ``steps``, for each connection its own; return the sockets when all are in.

        No more than ``at_once`` are under way at a time. Who is in is read when all are: of a thousand who are told of
        each who comes after them that is a few long reads, in place of half a million short ones.
        """
        inside: list[socket.socket] = []
        outside: set[socket.socket] = set()

        def entered(sock: socket.socket) -> None:
            outside.discard(sock)
            inside.append(sock)
            self._epoll.unregister(sock)

        for each in steps:
            sock = connect(address)
            outside.add(sock)
            self.add(entering := Entering(sock, each, entered))
            self.speaks(entering)
            if len(outside) >= at_once:
                self.until(lambda: len(outside) < at_once)
        self.until(lambda: not outside)
        for sock in inside:
            self._epoll.register(sock, select.EPOLLIN)
            self.add(Connection(sock))
        while self.turn(0):
            pass
        return inside


def connect(address: tuple[str, int]) -> socket.socket:
    """Return a non-blocking socket that is being connected, and reset when it is closed: it leaves nothing behind."""
    sock = socket.socket()
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    sock.setblocking(False)
    sock.connect_ex(address)
    return sock


def names(count: int) -> list[str]:
    """Return ``count`` names that were not given before, of one length: IRC's messages carry them."""
    return [f"n{number:06d}" for number in islice(_numbers, count)]


def raise_limits() -> None:
    """Allow as many open files as may be, also to what is started afterwards."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # root may go beyond what is allowed, mostly
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, max(hard, FILES)))
        hard = max(hard, FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
