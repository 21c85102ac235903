"""Many people who talk at once, and what must be true in the end."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256

from sqlalchemy import NullPool, create_engine, text

from tests.accounts import PASSWORD
from tests.plain_client import Address, Crowd, PlainClient
from tests.torture.people import Called, Fetcher, Person, Post, Uploader, place

_LOG = text(
    "SELECT rooms.name, messages.id, messages.sender, messages.text, messages.size, messages.name"
    " FROM messages JOIN rooms ON rooms.id = messages.room_id ORDER BY messages.room_id, messages.id"
)
_LAST_IDS = text("SELECT name, last_id FROM rooms")
_PARTIES = text(
    "SELECT rooms.name, invited.user FROM rooms JOIN invited ON invited.room_id = rooms.id"
    " WHERE rooms.name LIKE '@%' ORDER BY invited.user"
)


class Talk:
    """``writers`` say about ``rate`` messages a second together, readers hear every room, uploaders upload, and then
    somebody fetches all that.

    Each writer is in one of ``rooms`` rooms and hears what is said there. ``talks`` pairs talk with one another, and
    need accounts; one of the two does not ask for the talk, but is called into it. Where ``poison`` is given one in
    fifty texts begins with it, and may be refused. Whose connection ends comes back as long as the server is ``open``.
    """

    def __init__(
        self,
        address: Callable[[], Address],
        chance: random.Random,
        *,
        writers: int = 50,
        readers: int = 3,
        uploaders: int = 0,
        rooms: int = 10,
        talks: int = 0,
        rate: float = 1_000,
        poison: str = "",
    ) -> None:
        self.open = True
        self.quiet = False  # nobody says anything new
        self._poison = poison
        self._chance = chance
        self._rate = rate
        self._crowd = Crowd()
        self.rooms = [f"room{number}" for number in range(rooms)]
        refusals = ["failed"] if poison else []
        self.writers = [
            Person(self._crowd, address, f"writer{number}", [self.rooms[number % rooms]], refusals)
            for number in range(writers)
        ]
        self.talkers = [talker for number in range(talks) for talker in self._pair(address, number)]
        self.readers = [Person(self._crowd, address, f"reader{number}", self.rooms) for number in range(readers)]
        self.uploaders = [
            Uploader(self._crowd, address, f"uploader{number}", [self.rooms[number % rooms]])
            for number in range(uploaders)
        ]
        self.fetchers = [Fetcher(self._crowd, address, "fetcher", self.rooms)] if uploaders else []
        self.people: list[Person] = [
            *self.writers, *self.talkers, *self.readers, *self.uploaders, *self.fetchers
        ]  # fmt: skip
        self._speakers = [*self.writers, *self.talkers]
        self._due = 0.0  # messages
        self._last = time.monotonic()
        self.seconds = 0.0  # for which they talked, the waits for a server that is down left out

    def _pair(self, address: Callable[[], Address], number: int) -> tuple[Person, Person]:
        one, two = f"talker{number}", f"called{number}"
        return (
            Person(self._crowd, address, one, [f"@{two}"], password=PASSWORD),
            Called(self._crowd, address, two, (), password=PASSWORD),
        )

    def close(self) -> None:
        self._crowd.close()

    def run(self, until: Callable[[], bool], timeout: float = 60) -> None:
        """Talk until ``until()`` holds; raises TimeoutError."""
        self._last = time.monotonic()
        self._crowd.run(lambda: self._turn() or until(), timeout)

    def run_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        self.run(lambda: time.monotonic() >= end, timeout=seconds + 60)

    def finish(self, timeout: float = 120) -> None:
        """Let everybody end what was begun and hear everything, and go."""
        self.quiet = True
        self._run_until_all(lambda person: person.here and person.settled == len(person.said), timeout)
        counts = self._counts()
        self._run_until_all(lambda person: person.has(counts), timeout)

    def _run_until_all(self, are_done: Callable[[Person], bool], timeout: float) -> None:
        try:
            self.run(lambda: all(map(are_done, self.people)), timeout)
        except TimeoutError as late:
            raise TimeoutError(f"not done: {[person.user for person in self.people if not are_done(person)]}") from late

    def _counts(self) -> dict[str, int]:
        """Return how many messages were said in each place and not refused."""
        counts: Counter[str] = Counter()
        for person in self.people:
            for room in person.heard:
                counts[place(person.user, room)] += len(person.kept(room))
        return counts

    def _turn(self) -> bool:
        """Say what is due and have everybody there; False always."""
        now = time.monotonic()
        self._due += (now - self._last) * self._rate
        self.seconds += 0 if self.quiet else now - self._last
        self._last = now
        while self._due >= 1:
            self._due -= 1
            if not self.quiet:
                self._say_something(self._chance.choice(self._speakers))
        for person in self.people:
            if self.open:
                person.come()
            person.turn(now)
        if not self.quiet:
            self._keep_uploading()
        return False

    def _say_something(self, writer: Person) -> None:
        if not writer.heard:  # nobody has called it yet
            return
        [room] = writer.heard
        poison = f"{self._poison} " if self._poison and self._chance.random() < 0.02 else ""
        words = f"{poison}{writer.user} says {len(writer.said)} "
        writer.say(words.ljust(self._chance.choice((20, 100, 100, 100, 1_000)), "x"), room)

    def _keep_uploading(self) -> None:
        for uploader in self.uploaders:
            if uploader.settled == len(uploader.said):
                [room] = uploader.heard
                uploader.upload(*content(self._chance, f"{uploader.user} {len(uploader.said)}"), room)

    def drop_somebody(self) -> None:
        """Have one who says something lose its connection and come back at once."""
        self._chance.choice(self._speakers).drop()

    @property
    def coming(self) -> int:
        """How many logins are under way."""
        return sum(person.is_coming for person in self.people)

    @property
    def acknowledged(self) -> int:
        return sum(len(person.ids) for person in self.people)

    @property
    def said(self) -> int:
        return sum(len(person.said) for person in self.people)


def content(chance: random.Random, label: str) -> tuple[bytes, str | None]:
    """Return something to upload, of at most 3 MiB: a text without a name, or a file with one."""
    size = int(2 ** chance.uniform(17, 21.5))
    if chance.random() < 0.3:
        return (f"{label} " + "ä€😀x" * (size // 10)).encode(), None
    return chance.randbytes(size), f"{label}.bin"


@dataclass(slots=True)
class Verdict:
    """What is in the database in the end, held against what was said, acknowledged and heard."""

    messages: int = 0  # in the database
    talks: int = 0  # of them in talks of two
    acknowledged: int = 0
    uploads: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)  # another order, another text, another id than was told

    def __str__(self) -> str:
        return (
            f"{self.messages:,} messages, {self.talks:,} of them in talks of two, {self.acknowledged:,} acks seen,"
            f" {self.uploads} uploads: "
            f"{len(self.lost)} lost, {len(self.doubled)} doubled, {len(self.gaps)} gaps, {len(self.wrong)} wrong"
        )

    @property
    def faults(self) -> list[str]:
        return [*self.lost, *self.doubled, *self.gaps, *self.wrong]


def judge(people: Sequence[Person], url: str) -> Verdict:
    """Hold the database at ``url`` against what people said and heard."""
    verdict = Verdict(acknowledged=sum(len(person.ids) for person in people))
    log = read_log(url, verdict)
    verdict.messages = sum(map(len, log.values()))
    verdict.talks = sum(len(posts) for room, posts in log.items() if room.startswith("@"))
    by_user: dict[tuple[str, str], list[tuple[int, Post]]] = {}
    for room, posts in log.items():
        for id, post in enumerate(posts, 1):
            by_user.setdefault((room, post.user), []).append((id, post))
    for person in people:
        for room, heard in person.heard.items():
            there = place(person.user, room)
            _compare_said(verdict, person, room, by_user.get((there, person.user), []))
            if heard != log.get(there, []):
                verdict.wrong.append(f"{person.user} heard {room} otherwise than it is in the database")
    return verdict


def read_log(url: str, verdict: Verdict) -> dict[str, list[Post]]:
    """Return what is in the database at ``url``, place by place, and have gaps in the verdict."""
    log: dict[str, list[Post]] = {}
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        users: dict[str, list[str]] = {}
        for talk, user in connection.execute(_PARTIES):
            users.setdefault(talk, []).append(user)
        places = {talk: place(one, f"@{two}") for talk, (one, two) in users.items()}
        for stored, id, *post in connection.execute(_LOG):
            room = places.get(stored, stored)
            posts = log.setdefault(room, [])
            if id != len(posts) + 1:
                verdict.gaps.append(f"{room}: {id} behind {len(posts)}")
            posts.append(Post(*post))
        for stored, last_id in connection.execute(_LAST_IDS):
            room = places.get(stored, stored)
            if last_id != len(log.get(room, [])):
                verdict.gaps.append(f"{room} says that {last_id} is its last, and has {len(log.get(room, []))}")
    return log


def _compare_said(verdict: Verdict, person: Person, room: str, stored: list[tuple[int, Post]]) -> None:
    """Hold what one person said in a room against what is stored of it there."""
    said = person.kept(room)
    verdict.uploads += sum(it.content is not None for _, it in said)
    texts = Counter(post[1:] for _, post in stored)
    verdict.doubled += [f"{person.user}: {it[0][:60]!r}" for it, count in texts.items() if count > 1]
    counted = f"{person.user} said {len(said)} in {room}, {len(stored)} are there"
    verdict.lost += [counted] * (len(said) - len(stored))
    if len(stored) > len(said):
        verdict.wrong.append(counted)
    for (seq, it), (id, post) in zip(said, stored, strict=False):
        if not it.is_shown_by(post):
            verdict.wrong.append(f"{person.user} said {it.text[:60]!r} as {seq} in {room}, there is {post!r:.100}")
            break
        if person.ids.get(seq, id) != id:
            verdict.wrong.append(f"{person.user} was told {person.ids[seq]} for {seq} in {room}, it is {id}")


def contents(people: Iterable[Person]) -> Iterator[tuple[str, int, bytes]]:
    """Yield room, id and the content's SHA-256 of what was uploaded; all of it is settled."""
    for person in people:
        for room, heard in person.heard.items():
            ids = (id for id, post in enumerate(heard, 1) if post.user == person.user)
            for id, (_, said) in zip(ids, person.kept(room), strict=True):
                if said.content is not None:
                    yield room, id, said.content.digest


def wrong_contents(people: Sequence[Person], address: Address) -> Iterator[str]:
    """Fetch what was uploaded and yield a line for each that is not what it was."""
    with closing(PlainClient.connect(address)) as client:
        client.login("checker", rooms={room: None for room, _, _ in contents(people)}, history=0)
        for ref, (room, id, expected) in enumerate(contents(people)):
            client.say("fetch", room=room, id=id, ref=ref)
            digest = sha256()
            for frame in client.answer(ref):
                digest.update(frame.body)
            if digest.digest() != expected:
                yield f"the content of {id} in {room} is another one"


def wrong_fetches(people: Sequence[Person]) -> Iterator[str]:
    """Yield a line for each content that a fetcher got otherwise than it was uploaded, or not at all."""
    uploaded = {(room, id): digest for room, id, digest in contents(people)}
    for person in people:
        if isinstance(person, Fetcher):
            for place, digest in uploaded.items():
                if person.contents.get(place) != digest:
                    yield f"{person.user} fetched the content of {place} otherwise than it was uploaded"
