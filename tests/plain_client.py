"""A small client of the chat for tests, written from ``docs/protocol.md`` with the standard library alone.

It shares no code with the project. It holds the server to the page while it reads: every frame must be one that a
server may say, with its fields, and the messages of each room must come in the order of their ids without a gap.
"""

from __future__ import annotations

import json
import select
import selectors
import socket
import struct
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from unicodedata import normalize

MAX_FRAME = 65_536  # bytes of a payload
MAX_BODY = 61_440  # bytes
MAX_NUMBER = 2**53 - 1
MAX_HISTORY = 500  # messages
DEFAULT_HISTORY = 100  # messages, where neither side says otherwise
READ = 256 * 1024  # bytes asked of the socket at once

Address = tuple[str, int] | str

# What a server may say, and the fields that it must have.
SAID: Mapping[str, Mapping[str, type]] = {
    "welcome": {"user": str, "server": str, "protocol": int, "max_frame": int, "max_body": int, "ping_every": int,
                "received": int, "rooms": dict},
    "message": {"room": str, "id": int, "from": str, "at": int},
    "ack": {"seq": int, "room": str, "id": int},
    "error": {"code": str, "text": str},
    "bye": {"reason": str},
    "joined": {"room": str, "first_id": int, "last_id": int},
    "left": {"room": str},
    "presence": {"room": str, "users": int},
    "notice": {"code": str, "text": str},
    "done": {"ref": int},
    "who": {"ref": int, "users": list},
    "rooms": {"ref": int, "rooms": dict},
    "ping": {},
    "pong": {},
    "part": {"ref": int, "offset": int},
    "resumed": {"ref": int, "upload": int, "size": int},
    "deleted": {"room": str, "id": int, "by": str},
    "text": {"ref": int},
}  # fmt: skip


def fold(name: str) -> str:
    """Return what all spellings of one name have in common."""
    return normalize("NFKC", normalize("NFKC", name).casefold())


def netstring(payload: bytes) -> bytes:
    return b"%d:%s," % (len(payload), payload)


def encode(type: str, body: bytes = b"", /, **fields: Any) -> bytes:
    """Return one frame as it goes over the wire."""
    header = json.dumps({"type": type, **fields}, ensure_ascii=False).encode()
    return netstring(header + b"\n" + body if body else header)


@dataclass(frozen=True, slots=True)
class Frame:
    """What the server said once."""

    header: dict[str, Any]
    body: bytes = b""

    @property
    def type(self) -> str:
        return str(self.header["type"])

    @property
    def text(self) -> str:
        return self.body.decode()

    def __getitem__(self, field: str) -> Any:
        return self.header[field]

    def __contains__(self, field: object) -> bool:
        return field in self.header

    def matches(self, type: str | None, fields: Mapping[str, Any]) -> bool:
        return type in (None, self.type) and all(
            field in self.header and self.header[field] == value for field, value in fields.items()
        )


class FrameReader:
    """Bytes to frames; raises AssertionError for what the page does not allow a server to send."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Frame]:
        data = self._rest + data
        start = 0
        while (colon := data.find(b":", start, start + 6)) >= 0:
            digits = data[start:colon]
            assert b"%d" % int(digits) == digits, f"no length: {digits!r}"
            end = colon + 1 + int(digits)
            assert int(digits) <= MAX_FRAME, f"a frame of {int(digits)} bytes"
            if end >= len(data):
                break
            assert data[end : end + 1] == b",", f"no comma behind {data[start:end]!r}"
            yield self._frame(data[colon + 1 : end])
            start = end + 1
        else:
            assert len(data) - start < 6, f"no netstring: {data[start : start + 40]!r}"
        self._rest = data[start:]

    def _frame(self, payload: bytes) -> Frame:
        line, _, body = payload.partition(b"\n")
        header = json.loads(line.decode(), parse_float=_refuse, parse_constant=_refuse, object_pairs_hook=_object)
        assert isinstance(header, dict), f"no header: {line!r}"
        assert len(body) <= MAX_BODY, f"a body of {len(body)} bytes"
        for field, kind in SAID[header["type"]].items():
            assert type(header[field]) is kind, f"{field} in {line!r}"
        for field, value in header.items():
            assert type(value) is not int or 0 <= value <= MAX_NUMBER, f"{field} in {line!r}"
        return Frame(header, body)


def _refuse(number: str) -> None:
    raise AssertionError(f"a number that is not whole: {number}")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    assert len(fields) == len(pairs), f"a key stands twice: {pairs!r}"
    return fields


class PlainClient:
    """One connection. It reads whenever it writes or waits, so that neither side can block the other.

    ``took``, where given, gets each frame in place of the inbox that :meth:`read` looks through.
    """

    def __init__(self, sock: socket.socket, took: Callable[[Frame], None] | None = None) -> None:
        sock.setblocking(False)
        self.socket = sock
        self.address: Address | None = None
        self.inbox: deque[Frame] = deque()
        self.rooms: set[str] = set()  # that it is in
        self.last: dict[str, int] = {}  # room → the id of the message that came last
        self.spans: dict[str, tuple[int, int]] = {}  # room → first and last id as told at the beginning
        self.seq = 0  # of the send that came last
        self.acked = 0
        self.bytes_read = 0
        self.ended = False  # nothing more comes
        self._took = took or self.inbox.append
        self._frames = FrameReader()
        self._outgoing = bytearray()
        self._asked: dict[str, deque[int | None]] = {}  # folded room → where to begin, for each time it was asked
        self.closed: set[str] = set()  # rooms (folded) that are private, and not for this one
        self.default_history = DEFAULT_HISTORY
        self._history = DEFAULT_HISTORY
        self._welcomed = self._said_bye = False

    @classmethod
    def connect(
        cls, address: Address, took: Callable[[Frame], None] | None = None, receive_buffer: int | None = None
    ) -> PlainClient:
        """Connect; ``receive_buffer`` (bytes) keeps the kernel from reading ahead of a slow client."""
        sock = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.settimeout(10)
        try:
            sock.connect(address)
        except OSError:
            sock.close()
            raise
        client = cls(sock, took)
        client.address = address
        return client

    # What a person would do.

    def login(self, user: str, /, **fields: Any) -> Frame:
        """Log in and return the ``welcome``; an ``error`` in its place raises AssertionError."""
        self.ask_login(user, **fields)
        answer = self.read_any("welcome", "error")
        assert answer.type == "welcome", answer
        return answer

    def ask_login(self, user: str, /, **fields: Any) -> None:
        """Say ``login`` and remember what was asked for; the answer is still to be read."""
        self._history = min(fields.get("history", self.default_history), MAX_HISTORY)
        rooms = fields.get("rooms", {"lobby": None})
        self._asked = {fold(room): deque([after]) for room, after in rooms.items()}
        self.say("login", user=user, **fields)

    def join(self, room: str | None = None, after: int | None = None, **fields: Any) -> Frame:
        """Join a room and return the ``joined``; an ``error`` in its place raises AssertionError."""
        self.ask_join(room, after, **fields)
        answer = self.read_any("joined", "error")
        assert answer.type == "joined", answer
        return answer

    def ask_join(self, room: str | None = None, after: int | None = None, **fields: Any) -> None:
        """Say ``join`` and remember what was asked for; the answer is still to be read."""
        self._asked.setdefault(fold(room or "lobby"), deque()).append(after)
        self._history = min(fields.get("history", self.default_history), MAX_HISTORY)
        where = {} if room is None else {"room": room}
        self.say("join", **where, **fields, **({} if after is None else {"after": after}))

    def send(self, text: str | bytes, room: str | None = None, seq: int | None = None) -> int:
        """Say ``send`` and return its ``seq``: the next one where none is given."""
        if seq is None:
            self.seq += 1
            seq = self.seq
        where = {} if room is None else {"room": room}
        self.say("send", text.encode() if isinstance(text, str) else text, seq=seq, **where)
        return seq

    def store(self, text: str | bytes, room: str | None = None) -> int:
        """Send a message, wait for its ``ack`` and return its id."""
        return int(self.read("ack", seq=self.send(text, room))["id"])

    def close(self) -> None:
        self.ended = True
        self.socket.close()

    def reset(self) -> None:
        """Close without a word: the other side sees a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def half_close(self) -> None:
        """End the sending direction, behind what was said."""
        self._wait_written()
        self.socket.shutdown(socket.SHUT_WR)

    # Saying and reading.

    def say(self, type: str, body: bytes = b"", /, **fields: Any) -> None:
        self.write(encode(type, body, **fields))

    def write(self, data: bytes) -> None:
        """Send raw bytes, now or as soon as the socket takes them; see :meth:`pump`."""
        self._outgoing += data
        self.flush()

    def read(self, type: str | None = None, /, timeout: float = 10, **fields: Any) -> Frame:
        """Return the next frame of that type with those fields; others stay for later reads.

        Raises TimeoutError, or EOFError where the connection ended without it.
        """
        return self._read(lambda frame: frame.matches(type, fields), timeout, f"{type} {fields}")

    def read_any(self, *types: str, timeout: float = 10) -> Frame:
        """Return the next frame of one of these types, as :meth:`read` does."""
        return self._read(lambda frame: frame.type in types, timeout, " or ".join(types))

    def _read(self, wanted: Callable[[Frame], bool], timeout: float, what: str) -> Frame:
        until = time.monotonic() + timeout
        seen = 0
        while True:
            for place in range(seen, len(self.inbox)):
                frame = self.inbox[place]
                if wanted(frame):
                    del self.inbox[place]
                    return frame
            seen = len(self.inbox)
            if self.ended:
                raise EOFError(f"the connection ended without {what}; there came {list(self.inbox)[-5:]}")
            if not self.pump(until - time.monotonic()):
                raise TimeoutError(f"no {what} within {timeout} s; there came {list(self.inbox)[-5:]}")

    def read_messages(self, room: str, last_id: int, timeout: float = 10) -> list[Frame]:
        """Return the messages of ``room`` up to ``last_id``."""
        messages: list[Frame] = []
        while not messages or messages[-1]["id"] < last_id:
            messages.append(
                self._read(lambda f: f.matches("message", {"room": room}) and "ref" not in f, timeout, room)
            )
        return messages

    def answer(self, ref: int, timeout: float = 10) -> list[Frame]:
        """Return all frames of an answer, the ``done`` or ``error`` that ends it included."""
        frames: list[Frame] = []
        while not frames or frames[-1].type not in ("done", "error"):
            frames.append(self.read(None, timeout=timeout, ref=ref))
        return frames

    def until_pong(self, ref: int = MAX_NUMBER) -> list[Frame]:
        """Ping, and return what had not been read when the answer came, ``presence`` aside."""
        self.say("ping", ref=ref)
        self.read("pong", ref=ref)
        frames = [frame for frame in self.inbox if frame.type != "presence"]
        self.inbox.clear()
        return frames

    def frames(self, timeout: float = 10) -> list[Frame]:
        """Read to the end of the connection and return what was not read before."""
        until = time.monotonic() + timeout
        while not self.ended:
            if not self.pump(until - time.monotonic()):
                raise TimeoutError(f"the connection did not end within {timeout} s; there came {list(self.inbox)[-5:]}")
        frames = list(self.inbox)
        self.inbox.clear()
        return frames

    # The socket.

    def fileno(self) -> int:
        return self.socket.fileno()

    @property
    def writing(self) -> bool:
        """Whether something waits until the socket takes it."""
        return bool(self._outgoing) and not self.ended

    def pump(self, timeout: float) -> bool:
        """Wait for the socket, read and write what it will; False where nothing happened within ``timeout`` seconds."""
        poll = select.poll()
        poll.register(self.socket, select.POLLIN | (select.POLLOUT if self.writing else 0))
        events = poll.poll(max(0.0, timeout) * 1000)
        for _, event in events:
            if event & select.POLLOUT:
                self.flush()
            if event & ~select.POLLOUT:
                self.receive()
        return bool(events)

    def _wait_written(self) -> None:
        while self.writing:
            if not self.pump(10):
                raise TimeoutError("the server does not read")

    def flush(self) -> None:
        """Write what the socket takes now."""
        try:
            while self._outgoing:
                del self._outgoing[: self.socket.send(self._outgoing)]
        except BlockingIOError:
            pass
        except ConnectionError:
            self._outgoing.clear()  # what the server said before it left is still to be read

    def receive(self, size: int = READ) -> None:
        """Take what the socket has, at most ``size`` bytes."""
        try:
            data = self.socket.recv(size)
        except BlockingIOError:
            return
        except ConnectionError:
            data = b""
        if not data:
            self.ended = True
        self.bytes_read += len(data)
        for frame in self._frames.feed(data):
            self._follow(frame)
            self._took(frame)

    # What must hold at every frame.

    def _follow(self, frame: Frame) -> None:
        assert not self._said_bye, f"{frame} behind bye"
        if not self._welcomed:
            assert frame.type in ("welcome", "error", "pong"), f"{frame} before welcome"
        if frame.type == "welcome":
            self._take_welcome(frame)
        elif frame.type == "message" and "ref" not in frame:
            room, id = frame["room"], frame["id"]
            assert room in self.rooms, f"{frame} of a room that was not joined"
            assert id == self.last[room] + 1, f"{frame} behind {self.last[room]}"
            self.last[room] = id
        elif frame.type == "joined":
            self._take_joined(frame)
        elif frame.type == "left":
            self.rooms.remove(frame["room"])
        elif frame.type == "ack":
            assert frame["seq"] > self.acked, f"{frame} behind {self.acked}"
            self.acked = frame["seq"]
        elif frame.type == "bye":
            self._said_bye = True

    def _take_welcome(self, frame: Frame) -> None:
        assert not self._welcomed, "a second welcome"
        self._welcomed = True
        self.seq = self.acked = frame["received"]
        told = {fold(room) for room in frame["rooms"]}
        assert told == set(self._asked) - self.closed, f"{frame} for {set(self._asked)}"
        for room, span in frame["rooms"].items():
            self._begin(room, span["first_id"], span["last_id"])

    def _take_joined(self, frame: Frame) -> None:
        room = frame["room"]
        if room not in self.rooms:
            self._begin(room, frame["first_id"], frame["last_id"])
        else:
            if asked := self._asked.get(fold(room)):
                asked.popleft()  # in it already: the stream goes on
            self.last[room] = max(self.last[room], frame["first_id"] - 1)

    def _begin(self, room: str, first_id: int, last_id: int) -> None:
        asked = self._asked.get(fold(room))
        if not asked and room.startswith("@"):  # it comes unasked, when something is said there: what is new follows
            after: int | None = last_id
        else:
            after = self._asked[fold(room)].popleft()
        if after is None or after > last_id:
            after = last_id - self._history
        self.rooms.add(room)
        self.spans[room] = first_id, last_id
        self.last[room] = max(after, first_id - 1, 0)


class Crowd:
    """Many clients, read and written by one thread."""

    def __init__(self, clients: Iterable[PlainClient] = ()) -> None:
        self._selector = selectors.DefaultSelector()
        for client in clients:
            self.add(client)

    def add(self, client: PlainClient) -> None:
        self._selector.register(client, selectors.EVENT_READ, client)

    def remove(self, client: PlainClient) -> None:
        """Leave this one alone: nothing of it is read from now on."""
        self._selector.unregister(client)

    def run(self, until: Callable[[], bool], timeout: float = 20) -> None:
        """Read and write until ``until()`` holds, asked after each round; raises TimeoutError.

        A client whose connection ended is left out from then on.
        """
        deadline = time.monotonic() + timeout
        while not until():
            if time.monotonic() > deadline:
                raise TimeoutError(f"not so within {timeout} s")
            for key, events in self._selector.select(0.2):
                self._serve(key.data, events)

    def _serve(self, client: PlainClient, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            client.flush()
        if events & selectors.EVENT_READ:
            client.receive()
        if client.ended:
            self.remove(client)
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.writing else 0)
        if self._selector.get_key(client).events != wanted:
            self._selector.modify(client, wanted, client)

    def close(self) -> None:
        """Close every client that is in it."""
        for key in list(self._selector.get_map().values()):
            key.data.close()
        self._selector.close()
