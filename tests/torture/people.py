"""People whose connections break, and who come back and go on as sections 2, 4 and 5 of the protocol say."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import inf
from sys import intern
from typing import Any, NamedTuple

from tests.plain_client import MAX_BODY, Address, Crowd, Frame, PlainClient

SHOWN = 4_096  # bytes of a large text that its message shows, at most


def place(user: str, room: str) -> str:
    """Return what everybody calls the room that ``user`` calls so: a talk of two has another name for each of them."""
    return " ".join(sorted((f"@{user}", room))) if room.startswith("@") else room


class Post(NamedTuple):
    """A message as whoever is in the room sees it."""

    user: str
    text: str
    size: int | None = None
    name: str | None = None


class Content:
    """What is uploaded: the bytes until the server has them, and for good what they are known by."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)
        self.digest = sha256(data).digest()
        self.beginning = data if self.size <= MAX_BODY else data[:SHOWN]  # all of it that a message may show

    def forget(self) -> None:
        """Let the bytes go: who uploads for an hour would keep gigabytes."""
        self.data = b""


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody says: a text, or a content that is uploaded."""

    room: str
    text: str
    content: Content | None = None
    name: str | None = None

    def is_shown_by(self, post: Post) -> bool:
        """Whether a message is this one; of a large text only the beginning is seen."""
        if self.content is None:
            return post[1:] == (self.text, None, None)
        if self.name is None:
            shown, size, beginning = post.text.encode(), self.content.size, self.content.beginning
            if size <= MAX_BODY and post.size is None:
                return shown == beginning and post.name is None
            return beginning.startswith(shown) and 0 < len(shown) <= SHOWN and post.size == size
        return post[1:] == ("", self.content.size, self.name)


class Person:
    """One client program: says texts, and hears every message of its rooms from the first one on.

    ``refusals`` are the codes with which a ``send`` may be refused. Who has an account shows its ``password``. What no
    server may do raises AssertionError.
    """

    def __init__(
        self,
        crowd: Crowd,
        address: Callable[[], Address],
        user: str,
        rooms: Sequence[str] = ("lobby",),
        refusals: Iterable[str] = (),
        client: str | None = None,
        password: str | None = None,
    ) -> None:
        self.user = user
        self.said: list[Said] = []  # each one's seq is its place, counted from 1
        self.settled = 0  # how many of them the server has
        self.ids: dict[int, int] = {}  # seq → id, as far as acks arrived
        self.refused: dict[int, str] = {}  # seq → code
        self.heard: dict[str, list[Post]] = {room: [] for room in rooms}
        self.notices: list[str] = []
        self.here = False  # logged in
        self.logins = 0
        self._refusals = frozenset(refusals)
        self._crowd = crowd
        self._address = address
        self._secrets = {"client": client or f"the program of {user}", "key": user}
        if password is not None:
            self._secrets["password"] = password
        self.client: PlainClient | None = None

    # Coming and going.

    @property
    def is_coming(self) -> bool:
        """Whether its login is under way, or was when the connection ended."""
        return self.client is not None and not self.client.spans

    def come(self) -> None:
        """Connect where there is no connection, and go on; where nobody listens, the next time is as good."""
        if self.client is not None and not self.client.ended:
            return
        self.here = False
        try:
            self.client = PlainClient.connect(self._address(), took=self._take)
        except OSError:
            return
        self.client.ask_login(
            self.user, **self._secrets, rooms={room: len(heard) for room, heard in self.heard.items()}
        )
        self._crowd.add(self.client)

    def drop(self) -> None:
        """Lose the connection without a word, and come back at once."""
        self.leave()
        self.come()

    def leave(self) -> None:
        """Lose the connection without a word."""
        if self.client is not None and not self.client.ended:
            self._crowd.remove(self.client)
            self.client.reset()
        self.here = False

    # Saying.

    def say(self, text: str, room: str = "lobby") -> None:
        self._say(Said(room, text))

    def _say(self, said: Said) -> None:
        self.said.append(said)
        if self.here:
            self._send(said)

    def _send(self, said: Said) -> None:
        assert self.client is not None
        self.client.send(said.text, said.room)

    def _go_on(self) -> None:
        """Say again what the server has not received."""
        for said in self.said[self.settled :]:
            self._send(said)

    def turn(self, now: float) -> None:
        """Do what is due."""

    def kept(self, room: str) -> list[tuple[int, Said]]:
        """Return, with their ``seq``, what it said in a room and was not refused."""
        said = enumerate(self.said, 1)
        return [(seq, it) for seq, it in said if it.room == room and seq not in self.refused]

    # Hearing.

    def has(self, counts: dict[str, int]) -> bool:
        """Whether all that it said is settled, and it heard so many messages in each :func:`place`."""
        return self.settled == len(self.said) and all(
            len(heard) == counts.get(place(self.user, room), 0) for room, heard in self.heard.items()
        )

    def _take(self, frame: Frame) -> None:
        taking: Callable[[Frame], None] = getattr(self, f"_take_{frame.type}", self._take_other)
        taking(frame)

    def _take_welcome(self, frame: Frame) -> None:
        self.here = True
        self.logins += 1
        received = frame["received"]
        assert self.settled <= received <= len(self.said), f"{self.user} had {self.settled} settled: {frame}"
        self.settled = received
        for room, heard in self.heard.items():
            assert len(heard) <= frame["rooms"][room]["last_id"], f"{self.user} has seen {len(heard)}: {frame}"
        self._go_on()

    def _take_ack(self, frame: Frame) -> None:
        self._settle(frame["seq"])
        assert frame["room"] == self.said[frame["seq"] - 1].room, frame
        self.ids[frame["seq"]] = frame["id"]

    def _take_error(self, frame: Frame) -> None:
        assert "seq" in frame, f"{self.user}: {frame}"
        assert frame["code"] in self._refusals, f"{self.user}: {frame}"
        self._settle(frame["seq"])
        self.refused[frame["seq"]] = frame["code"]

    def _settle(self, seq: int) -> None:
        assert seq == self.settled + 1, f"{self.user} had {self.settled} settled, then {seq}"
        self.settled = seq

    def _take_message(self, frame: Frame) -> None:
        heard = self.heard[frame["room"]]
        assert frame["id"] == len(heard) + 1, f"{self.user} has seen {len(heard)}: {frame}"
        # What many hear is kept once.
        heard.append(Post(frame["from"], intern(frame.text), frame.header.get("size"), frame.header.get("name")))

    def _take_notice(self, frame: Frame) -> None:
        self.notices.append(frame["code"])

    def _take_ping(self, frame: Frame) -> None:
        assert self.client is not None
        self.client.say("pong", **({"ref": frame["ref"]} if "ref" in frame else {}))

    def _take_other(self, frame: Frame) -> None:
        assert frame.type in ("presence", "pong", "joined"), f"{self.user}: {frame}"


class Called(Person):
    """Somebody who is in no talk of two before something is said there, and then comes again to hear all of it.

    What was said before it came it finds among its rooms.
    """

    pause = 0.3  # seconds until it asks again where the database is away

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._into: set[str] = set()
        self._ask_at = 0.0

    def has(self, counts: dict[str, int]) -> bool:
        return bool(self.heard) and super().has(counts)

    def turn(self, now: float) -> None:
        if new := self._into - self.heard.keys():
            self.heard.update({room: [] for room in new})
            self.drop()
        elif self.here and now >= self._ask_at:
            assert self.client is not None
            self._ask_at = inf
            self.client.say("rooms", ref=1)

    def _take_welcome(self, frame: Frame) -> None:
        super()._take_welcome(frame)
        self._ask_at = 0.0

    def _take_rooms(self, frame: Frame) -> None:
        self._into.update(room for room, its in frame["rooms"].items() if room.startswith("@") and its["last_id"])

    def _take_done(self, frame: Frame) -> None:
        assert frame["ref"] == 1, frame

    def _take_error(self, frame: Frame) -> None:
        assert (frame["code"], frame["ref"]) == ("storage_down", 1), frame
        self._ask_at = time.monotonic() + self.pause

    def _take_joined(self, frame: Frame) -> None:
        self._into.add(frame["room"])

    def _take_message(self, frame: Frame) -> None:
        if frame["room"] in self.heard:
            super()._take_message(frame)


class Uploader(Person):
    """Somebody who uploads one content after the other; after a break each goes on where the server has it.

    Parts are not acknowledged. So after every ``window`` bytes it asks what is stored, and says no more until it knows.
    ``pace`` is the seconds between two windows, at least.
    """

    window = 256 * 1024  # bytes
    pace = 0.1

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.went_on = 0  # how often an upload that was begun went on after a break
        self._stored = 0  # bytes of the upload under way
        self._may_push = False
        self._next = 0.0
        self._ref = 0
        self._after_break = False

    @property
    def is_uploading(self) -> bool:
        """Whether parts went out of an upload that is not sent yet."""
        return self.settled < len(self.said) and self._stored > 0

    def upload(self, data: bytes, name: str | None, room: str) -> None:
        self._say(Said(room, "", Content(data), name))

    def turn(self, now: float) -> None:
        if self.here and self._may_push and now >= self._next and self.settled < len(self.said):
            self._next = now + self.pace
            self._push(self.said[self.settled])

    def _push(self, said: Said) -> None:
        """Say a window of the content, or that it is complete."""
        assert self.client is not None
        assert said.content is not None
        self._may_push = False
        end = min(self._stored + self.window, said.content.size)
        if end == self._stored:
            named = {} if said.name is None else {"name": said.name}
            seq = self.settled + 1
            self.client.say("send", seq=seq, room=said.room, upload=self._number, size=said.content.size, **named)
            return
        for start in range(self._stored, end, MAX_BODY):
            piece = said.content.data[start : min(start + MAX_BODY, end)]
            self.client.say("part", piece, upload=self._number, offset=start)
        self._ask()

    @property
    def _number(self) -> int:
        """The number of the upload under way: a few, used again and again."""
        return self.settled % 3

    def _send(self, said: Said) -> None:
        if self.settled == len(self.said) - 1:  # nothing was under way
            self._go_on()

    def _go_on(self) -> None:
        self._may_push = False
        if self.settled < len(self.said):
            self._after_break = self._stored > 0
            self._ask()

    def _ask(self) -> None:
        assert self.client is not None
        self._ref += 1
        self.client.say("resume", upload=self._number, ref=self._ref)

    def _take_resumed(self, frame: Frame) -> None:
        content = self.said[self.settled].content
        assert content is not None
        assert self._stored <= frame["size"] <= content.size, f"{self.user} had {self._stored} stored: {frame}"
        self.went_on += self._after_break
        self._after_break = False
        self._stored = frame["size"]
        self._may_push = True

    def _take_welcome(self, frame: Frame) -> None:
        if frame["received"] > self.settled:  # it was sent, and the ack got lost
            self._end()
        super()._take_welcome(frame)

    def _settle(self, seq: int) -> None:
        self._end()
        super()._settle(seq)
        self._go_on()

    def _end(self) -> None:
        """Forget the upload under way: the server has it."""
        self._stored = 0
        content = self.said[self.settled].content
        assert content is not None
        content.forget()


class Fetcher(Person):
    """Somebody who fetches the content of what it hears and ``wants``, each from where it was broken off."""

    pause = 0.3  # seconds until it asks again where the database is away

    def __init__(
        self, *arguments: Any, wants: Callable[[Post], bool] = lambda post: post.size is not None, **named: Any
    ) -> None:
        super().__init__(*arguments, **named)
        self.contents: dict[tuple[str, int], bytes] = {}  # room and id → SHA-256 of what has come whole
        self.went_on = 0  # how often a fetch went on from its middle
        self._wants = wants
        self._wanted: deque[tuple[str, int]] = deque()
        self._ref = 0
        self._asked = False
        self._next = 0.0
        self._begin()

    def has(self, counts: dict[str, int]) -> bool:
        return not self._wanted and super().has(counts)

    @property
    def is_fetching(self) -> bool:
        """Whether some of a content has come, and not all."""
        return self._size > 0

    def turn(self, now: float) -> None:
        if self.here and self._wanted and not self._asked and now >= self._next:
            assert self.client is not None
            room, id = self._wanted[0]
            self._ref += 1
            self._asked = True
            self.went_on += self._size > 0
            self.client.say("fetch", room=room, id=id, ref=self._ref, offset=self._size)

    def _begin(self) -> None:
        self._hash = sha256()
        self._size = 0

    def _go_on(self) -> None:
        super()._go_on()
        self._asked = False

    def _take_message(self, frame: Frame) -> None:
        super()._take_message(frame)
        if self._wants(self.heard[frame["room"]][-1]):
            self._wanted.append((frame["room"], frame["id"]))

    def _take_part(self, frame: Frame) -> None:
        assert (frame["ref"], frame["offset"]) == (self._ref, self._size), f"{self._size} are here: {frame.header}"
        self._hash.update(frame.body)
        self._size += len(frame.body)

    def _take_done(self, frame: Frame) -> None:
        assert frame["ref"] == self._ref, frame
        self.contents[self._wanted.popleft()] = self._hash.digest()
        self._asked = False
        self._begin()

    def _take_error(self, frame: Frame) -> None:
        assert (frame["code"], frame["ref"]) == ("storage_down", self._ref), frame
        self._asked = False
        self._next = time.monotonic() + self.pause
