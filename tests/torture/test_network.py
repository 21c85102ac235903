"""A network that cuts connections at any byte, in either direction, stalls, and delivers a byte at a time."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from contextlib import closing

from tests.chance import times
from tests.plain_client import Address, Crowd
from tests.processes import ServerProcess
from tests.proxy import Fate, Proxy
from tests.torture.case import TortureCase
from tests.torture.people import Fetcher, Person, Uploader

CONTENTS = times("CONTENTS", 2)  # of each uploader


def cut_anywhere(chance: random.Random) -> Fate:
    """Cut in either direction, in the login as well as far into the talk."""
    one_sided = chance.random() < 0.25
    if chance.random() < 0.3:
        return Fate(cut_up=chance.randint(1, chance.choice((200, 4_000))), one_sided=one_sided)
    return Fate(cut_down=chance.randint(1, chance.choice((400, 40_000))), one_sided=one_sided)


def slow(chance: random.Random) -> Fate:
    """Deliver single bytes, or a few, and stall once."""
    return Fate(piece=chance.choice((1, 10, 100, 65_536)), stall_at=chance.randint(1, 3_000), stall=0.2)


def have_all(crowd: Crowd, people: Sequence[Person], messages: int) -> None:
    """Let people come back as often as it takes until all have heard so many messages."""

    def done() -> bool:
        for person in people:
            person.come()
            person.turn(time.monotonic())
        return all(person.has({"lobby": messages}) for person in people)

    crowd.run(done, timeout=60 + messages)


class OneOrder(TortureCase):
    """12 writers at once and 60 readers: identical sequences, each writer's own order kept."""

    def test_on_a_good_network(self) -> None:
        server = self.stack.enter_context(ServerProcess())
        self.talk_through(server, server.address, 100)

    def test_through_cuts_at_any_byte(self) -> None:
        server = self.stack.enter_context(ServerProcess())
        proxy = self.stack.enter_context(Proxy(("127.0.0.1", server.port), cut_anywhere, self.chance))
        self.talk_through(server, proxy.address, 100)
        self.assertGreater(proxy.cuts, 200)

    def test_through_single_bytes_and_stalls(self) -> None:
        server = self.stack.enter_context(ServerProcess())
        proxy = self.stack.enter_context(Proxy(("127.0.0.1", server.port), slow, self.chance))
        self.talk_through(server, proxy.address, 4)

    def talk_through(self, server: ServerProcess, address: Address, each: int) -> None:
        crowd = self.stack.enter_context(closing(Crowd()))
        writers = [Person(crowd, lambda: address, f"writer{number}") for number in range(12)]
        readers = [Person(crowd, lambda: address, f"reader{number}") for number in range(60)]
        for writer in writers:
            for number in range(each):
                writer.say(f"{writer.user} says {number}")
        people = [*writers, *readers]
        have_all(crowd, people, 12 * each)
        self.judge(people, server, f"12 writers and 60 readers, {sum(it.logins for it in people)} logins")


def cut_contents(chance: random.Random) -> Fate:
    """Cut somewhere in a login, a piece or a content."""
    far = chance.choice((300, 100_000, 500_000, 800_000))
    return Fate(cut_up=chance.randint(1, far), cut_down=chance.randint(1, far), one_sided=chance.random() < 0.25)


def stalling(chance: random.Random) -> Fate:
    """Stall for seconds somewhere in a content, and cut later."""
    stall_at = chance.randint(1_000, 250_000)
    cut = stall_at + chance.randint(1, 400_000)
    return Fate(stall_at=stall_at, stall=chance.uniform(1, 2), cut_up=cut, cut_down=cut)


class Contents(TortureCase):
    """Uploads go on at what is stored, fetches at what has come; the content is the same in the end."""

    def test_through_cuts_at_any_byte(self) -> None:
        uploads, fetches = self.exchange(cut_contents, 1_500_000, CONTENTS)
        self.assertGreater(uploads, 0)
        self.assertGreater(fetches, 0)

    def test_through_stalls(self) -> None:
        self.exchange(stalling, 400_000, 1)

    def test_through_single_bytes(self) -> None:
        self.exchange(lambda chance: Fate(piece=chance.choice((1, 3, 50))), 4_000, CONTENTS)

    def exchange(self, fate: Callable[[random.Random], Fate], size: int, each: int) -> tuple[int, int]:
        """Upload contents of up to ``size`` bytes, ``each`` of three people, and fetch them, through such a network.

        Returns how often an upload and a fetch went on in its middle.
        """
        server = self.stack.enter_context(ServerProcess())
        proxy = self.stack.enter_context(Proxy(("127.0.0.1", server.port), fate, self.chance))
        crowd = self.stack.enter_context(closing(Crowd()))
        uploaders = [Uploader(crowd, lambda: proxy.address, f"uploader{number}") for number in range(3)]
        for uploader in uploaders:
            uploader.pace = 0
            for number in range(each):
                name = f"{uploader.user}-{number}.bin" if number % 3 else None
                data = self.chance.randbytes(self.chance.randint(1, size))
                uploader.upload(data if name else data.hex().encode()[:size], name, "lobby")
        count = len(uploaders) * each
        have_all(crowd, uploaders, count)
        fetchers = [
            Fetcher(crowd, lambda: proxy.address, f"fetcher{number}", wants=lambda _: True) for number in range(2)
        ]
        have_all(crowd, fetchers, count)
        went_on = sum(it.went_on for it in uploaders), sum(it.went_on for it in fetchers)
        what = f"{proxy.cuts} cuts; {went_on[0]} uploads and {went_on[1]} fetches went on in their middle"
        self.judge([*uploaders, *fetchers], server, what)
        return went_on
