"""An hour's talk, and somebody who watches the screen of one who takes part in it."""

from __future__ import annotations

import re
import sys
import tempfile
import time
from pathlib import Path

from tests.chance import times
from tests.processes import ROOT, ServerProcess, memory
from tests.proxy import Fate, Proxy
from tests.terminal import Terminal
from tests.torture.case import TortureCase
from tests.torture.people import Post
from tests.torture.talk import Verdict, read_log

WATCHED = times("WATCHED", 6)  # seconds of talk
ROOMS = 20
OWN = "own"  # a room in which only the watched one talks
GROWTH = 8 * 2**20  # bytes by which the client may grow once it has seen all rooms

DRAWN = b"\x1b[?25h"  # the cursor is shown again: the end of a drawing

GAP = "messages: "  # stands in the row of those that are not loaded

_POST = re.compile(r"\w+ says \d+|file \w+ \d+\.bin|uploader\d+ \d+(?= ä)")
_ROOM = re.compile(r"\[(?:\d+:)?([a-z]+\d*)\]")


def words(post: Post) -> str:
    """Return the words by which a message is known on the screen."""
    found = _POST.match(f"file {post.name}" if post.name else post.text)
    assert found is not None, post
    return found[0]


class Drawn(Terminal):
    """Keeps what stood there when a drawing had ended: the program may be in the middle of the next one."""

    drawn = ""

    def _feed(self, data: bytes) -> None:
        end = data.rfind(DRAWN) + len(DRAWN)
        if end >= len(DRAWN):
            super()._feed(data[:end])
            self.drawn, data = self.text, data[end:]
        super()._feed(data)
        self.output = self.output[-1_000:]


class Watched(TortureCase):
    """40 people in 20 rooms whose connections break, files; one of them at a terminal, whose connection breaks too."""

    def setUp(self) -> None:
        super().setUp()
        self.server = self.stack.enter_context(ServerProcess())
        self.people = self.talk(self.server, writers=40, readers=1, uploaders=2, rooms=ROOMS, rate=40)
        self.proxy = self.stack.enter_context(
            Proxy(
                ("127.0.0.1", self.server.port),
                lambda chance: Fate(cut_down=chance.randint(20_000, 1_500_000)),
                self.chance,
            )
        )
        self.home = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.looks: list[str] = []  # what stood on the screen
        self.said = 0
        self.sent_files = 0

    def test_every_line_is_right_and_memory_is_flat(self) -> None:
        rooms = [flag for room in [*self.people.rooms, OWN] for flag in ("--room", room)]
        command = [sys.executable, str(ROOT / "cmd" / "cli"), "ann", "--port", str(self.proxy.address[1]), *rooms]
        with Drawn(command, 120, 40, env={"HOME": str(self.home), **self.folders()}) as screen:
            screen.wait_for("live")
            sizes = self.watch(screen, time.monotonic() + WATCHED)
            self.people.finish()
            self.turn_to(screen, OWN)
            screen.type("\x1b[F")  # it may have been scrolled up
            screen.wait_for(lambda: f"ann says {self.said - 1}" in screen.text and "unsent" not in screen.text)
            screen.type("/quit\r")
            self.assertEqual(screen.wait_exit(), 0)
        log = {room: list(map(words, posts)) for room, posts in read_log(self.server.db, Verdict()).items()}
        wrong = [screen for screen in self.looks if not is_right(screen, log)]
        settled = sizes[len(sizes) // 2]
        self.note(
            f"{sum(map(len, log.values())):,} messages, {len(self.looks)} looks, {self.proxy.cuts} cuts, "
            f"client {settled >> 20} MiB at half time, {sizes[-1] >> 20} MiB in the end"
        )
        self.assertEqual(len(wrong), 0, "\n\n".join(wrong[:2]))
        self.assertEqual(
            [post for post in log.get(OWN, []) if " says " in post],
            [f"ann says {number}" for number in range(self.said)],
        )
        self.assertLess(sizes[-1] - settled, GROWTH)

    def folders(self) -> dict[str, str]:
        kinds = ("CONFIG", "STATE", "DATA", "CACHE")
        return {f"XDG_{kind}_HOME": str(self.home / kind.lower()) for kind in kinds}

    def watch(self, screen: Drawn, end: float) -> list[int]:
        """Do this and that at the terminal and look at it, until ``end``; return the client's memory at each look."""
        sizes = []
        while time.monotonic() < end:
            self.do_something(screen)
            if self.chance.random() < 0.1:
                self.people.drop_somebody()
            until = time.monotonic() + self.chance.uniform(0.05, 0.3)
            self.people.run(lambda: screen.look(0) or time.monotonic() >= until)  # noqa: B023
            self.looks.append(screen.drawn)
            sizes.append(memory(screen.process.pid))
        return sizes

    def do_something(self, screen: Terminal) -> None:
        chance = self.chance.random()
        if chance < 0.3:
            screen.type(self.chance.choice(["\x0e", "\x10"]))  # the next room, the one before
        elif chance < 0.5:
            screen.type("\x1b[5~" * self.chance.randint(1, 4))
        elif chance < 0.6:
            screen.type("\x1b[6~")
        elif chance < 0.7:
            screen.type("\x1b[F")
        elif chance < 0.8:
            self.turn_to(screen, OWN)
            screen.type(f"ann says {self.said} at last\r")
            self.said += 1
        elif chance < 0.82:
            file = self.home / f"ann {self.sent_files}.bin"
            file.write_bytes(self.chance.randbytes(300_000))
            self.turn_to(screen, OWN)
            screen.type(f"/send {file}\r")
            self.sent_files += 1

    def turn_to(self, screen: Terminal, room: str) -> None:
        screen.type(f"/join {room}\r")
        screen.wait_for(lambda: shown(screen.text) == room)


def shown(screen: str) -> str:
    """Return the room that is shown; nothing where the status line does not say it."""
    found = _ROOM.search(screen)
    return found[1] if found else ""


def is_right(screen: str, log: dict[str, list[str]]) -> bool:
    """Whether the messages on the screen stand in the log of their room like that, without a gap that is not told.

    What one says oneself may be on its way while something said later is stored.
    """
    posts = log.get(room := shown(screen), [])
    if room == OWN:
        seen = _POST.findall(screen)
        return len(set(seen)) == len(seen) and set(seen) <= set(posts)
    return all(is_part(_POST.findall(part), posts) for part in screen.split(GAP))


def is_part(seen: list[str], posts: list[str]) -> bool:
    places = [place for place, post in enumerate(posts) if post in seen[:1]]
    return not seen or any(posts[place : place + len(seen)] == seen for place in places)
