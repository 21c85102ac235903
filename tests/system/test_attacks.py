"""What has been done to servers of this kind, done to this one: each costs its own connection, and nobody notices.

The list is in ``docs/security.md``, with the tests of those attacks that stand beside what they attack.
"""

from __future__ import annotations

import os
import random
import socket
import statistics
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.chance import new_seed
from tests.plain_client import PlainClient, encode
from tests.processes import SERVER, ServerProcess
from tests.system.case import ServerCase, fresh

HALVES = 300  # connections that announce much and send nearly all of it
ANNOUNCED = 65_536  # bytes
CUTS = 40  # connections that are lost in the middle of everything


class AttackCase(ServerCase):
    """Each test has a server of its own, since what it costs is measured."""

    flags: tuple[str, ...] = ()

    def setUp(self) -> None:
        super().setUp()
        self.server = ServerProcess(*self.flags)
        self.addCleanup(self.server.close)
        self.server.start()
        self._log_began = 0

    def open(self) -> socket.socket:
        raw = socket.create_connection(("127.0.0.1", self.server.port), timeout=10)
        self.addCleanup(raw.close)
        return raw

    def files(self) -> int:
        return len(os.listdir(f"/proc/{self.server.pid}/fd"))  # noqa: PTH208  # counted, not opened

    def wait_until(self, true: Callable[[], bool]) -> None:
        """Wait for what is to happen within ten seconds, a ping of somebody else's at a time."""
        clock = self.login()
        until = time.monotonic() + 10
        while not true():
            self.assertLess(time.monotonic(), until, "it does not happen")
            clock.until_pong()
        clock.close()


class Frames(AttackCase):
    def test_nearly_all_of_a_long_frame_costs_no_more_than_was_announced(self) -> None:
        bob = self.enter()
        before = self.server.memory()
        for _ in range(HALVES):
            self.open().sendall(b"%d:%b" % (ANNOUNCED, b"x" * (ANNOUNCED - 1)))
        bob.store("meanwhile", self.room)
        self.assertLess(self.server.memory() - before, HALVES * (ANNOUNCED * 1.3 + 16_384))

    def test_a_million_tiny_frames_leave_others_their_turn(self) -> None:
        flooder, bob = self.login(), self.enter()
        flooder.write(encode("pong") * 300_000)  # 5 MB
        delays = []
        while flooder.writing:
            flooder.pump(0)
            began = time.monotonic()
            bob.until_pong()
            delays.append(time.monotonic() - began)
        self.assertGreater(len(delays), 5)
        self.assertLess(statistics.median(delays), 0.25)  # a read of 64 KiB, however many frames are in it

    def test_headers_that_are_bombs_are_refused_at_once(self) -> None:
        bombs = (
            b'{"type":' + b"[" * 30_000,
            b'{"type":"ping","x":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
            b'{"type":"ping","ref":1' + b"0" * 10_000 + b"}",
            b'{"type":"ping","ref":1e999}',
            b'{"type":"ping","x":NaN}',
            b'{"type":"ping",' + b",".join(b'"k%d":0' % number for number in range(6_000)) + b',"ref":-1}',
            b'{"type":"ping","x":"' + b"\\ud800" * 10_000 + b'"}',
            b'{"type":"ping","x":"' + b"\xff" * 60_000 + b'"}',
            b"\n" * 60_000,
        )
        bob = self.enter()
        for bomb in bombs:
            client = self.login()
            before = self.server.cpu()
            client.write(b"%d:%b," % (len(bomb), bomb))
            error = client.read("error")
            self.assertIn(error["code"], ("bad_frame",), bomb[:40])
            self.assertLess(self.server.cpu() - before, 0.5, bomb[:40])
        bob.store("still here", self.room)

    def test_who_speaks_something_else_is_told_of_in_one_line(self) -> None:
        for said in (
            b"GET / HTTP/1.1\r\nHost: chat\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 500,
            b"SSH-2.0-OpenSSH_9.6\r\n",
            b"NICK ann\r\nUSER ann 0 * :ann\r\n",
            b"\x1b]0;gotcha\x07\n2026-01-01 chat-server: all is well\n",
        ):
            logged = len(self.server.log)
            raw = self.open()
            raw.sendall(said)
            self.assertIn(b"bad_frame", self.read_all(raw))
            self.wait_until(lambda logged=logged: len(self.server.log) > logged)  # type: ignore[misc]
            lines = [line for line in self.server.log[logged:] if "bad_frame" in line]
            self.assertEqual(len(lines), 1, lines)
            self.assertTrue(lines[0].isprintable())

    def read_all(self, raw: socket.socket) -> bytes:
        read = b""
        while data := raw.recv(10_000):
            read += data
        return read


class Texts(AttackCase):
    TEXTS = (
        "%s%n%x%d {0} {user} $HOME `id` $(id)",
        "'; DROP TABLE messages; --",
        "100% _sure_",
        'x" OR "1"="1',
        "\\ \\' \\x00 \x00",
        "* NEAR(a b) AND OR NOT ^ col:x",
    )

    def test_what_looks_like_a_pattern_or_a_command_is_text(self) -> None:
        ann = self.enter()
        for text in self.TEXTS:
            ann.store(text, self.room)
        self.assertEqual([message.text for message in ann.read_messages(self.room, len(self.TEXTS))], list(self.TEXTS))
        for ref, (query, found) in enumerate((("%", 2), ("_", 1), ("'", 2), ("*", 1), ("100%", 1), ("{user}", 1))):
            ann.say("search", room=self.room, query=query, limit=50, ref=ref)
            hits = [frame for frame in ann.answer(ref) if frame.type == "message"]
            self.assertEqual(len(hits), found, query)

    def test_who_searches_takes_no_processor_from_who_talks(self) -> None:
        ann = self.enter()
        ann.store("something", self.room)
        self.assertEqual(set(self.niceness()), {os.getpriority(os.PRIO_PROCESS, 0)})
        ann.say("search", room=self.room, query="x", limit=9, ref=1)
        ann.answer(1)
        self.assertEqual(self.niceness().count(19), 1)

    def niceness(self) -> list[int]:
        """Return that of each thread of the server, which for the system is a process like others."""
        threads = Path(f"/proc/{self.server.pid}/task").iterdir()
        return [os.getpriority(os.PRIO_PROCESS, int(thread.name)) for thread in threads]

    def test_what_is_logged_stays_on_its_line(self) -> None:
        for user in ("a\nb", "a\x1b[2J", "{log_source}", "a\r\n2026 x", "\u202eb", "%s"):
            client = self.connect()
            client.ask_login(user)
            client.frames()
        for room in ("a\nb", "\x1b]0;x\x07"):
            client = self.login()
            client.ask_join(room)
            client.read("error")
        for line in self.server.log:
            self.assertTrue(line.isprintable(), repr(line))
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT[\d:.]+Z \w+ ")


class Cuts(AttackCase):
    flags = ("--ping", "0.5")

    def test_at_every_point_nothing_is_left_behind(self) -> None:
        chance = random.Random(new_seed())
        bob = self.enter("bob")
        for _ in range(300):
            bob.send("x" * 2_000, self.room)
        bob.read("ack", seq=300)
        before = self.files()
        users = []
        for number in range(CUTS):
            users.append(f"cut{number}")
            self.cut(users[-1], chance)
        self.wait_until(lambda: self.files() < before + CUTS / 2)  # a reading thread opens some of its own
        for user in users:
            self.login(user).close()
        self.wait_until(lambda: self.present(bob) == ["bob"])

    def cut(self, user: str, chance: random.Random) -> None:
        """Say some of what people say, up to any byte, and go in one of the ways there are."""
        said = encode("login", user=user, client=user, rooms={self.room: 0})
        said += encode("send", b"hello", seq=1, room=fresh("none"))
        said += encode("history", room=self.room, limit=100, ref=1) + encode("search", query="x", limit=9, ref=2)
        said += b"".join(encode("part", b"y" * 5_000, upload=1, offset=at * 5_000) for at in range(4))
        said += encode("send", seq=2, room=self.room, upload=1, size=20_001)  # never stored: nobody would see it gone
        said += encode("join", room=fresh("room")) + encode("fetch", room=self.room, id=1, ref=3) + encode("quit")
        client = self.server.connect(receive_buffer=4_096).socket
        client.settimeout(0.2)
        client.sendall(said[: chance.randrange(len(said))])
        if chance.random() < 0.5:
            with suppress(TimeoutError):  # where it had not said enough for an answer
                client.recv(1)
        match chance.randrange(3):
            case 0:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
            case 1:
                client.shutdown(socket.SHUT_WR)
        client.close()

    def present(self, bob: PlainClient) -> list[str]:
        bob.say("who", room=self.room, ref=9)
        users: list[str] = [name for frame in bob.answer(9) if frame.type == "who" for name in frame["users"]]
        return users


class Hoards(AttackCase):
    def test_ten_thousand_joins_questions_and_uploads_have_their_bounds(self) -> None:
        ann, bob = self.login(client="c"), self.enter()
        for number in range(2_000):
            ann.ask_join(f"{self.room}-{number}")
            ann.say("rooms", ref=number)
            ann.say("part", b"x", upload=number, offset=0)
            ann.say("cancel", ref=10**6 + number)
            ann.say("drop", upload=10**6 + number)
        self.assertEqual(bob.store("meanwhile", self.room), 1)
        ann.say("ping", ref=7)
        ann.read("pong", timeout=60, ref=7)
        refused = [frame for frame in ann.inbox if frame.type == "error" and frame["code"] == "too_many"]
        self.assertEqual(sum("upload" in frame for frame in refused), 1_900)
        self.assertEqual(sum(frame.header.get("room", "").startswith(self.room) for frame in refused), 1_900)


class Files(AttackCase):
    """Out of open files."""

    ROOM = 40  # clients

    def setUp(self) -> None:
        super().setUp()
        self.server.close()
        hard = self.ROOM + 64
        command = ("sh", "-c", f'ulimit -n {hard}; exec "$@"', "sh", *SERVER)
        self.server = ServerProcess("--max-clients", str(self.ROOM), command=command)
        self.addCleanup(self.server.close)
        self.server.start()

    def test_many_more_than_there_are_are_turned_away_and_the_rest_goes_on(self) -> None:
        ann = self.enter()
        crowd = [self.open() for _ in range(300)]
        ann.store("still here", self.room)
        for raw in crowd:
            raw.close()
        self.wait_for_room()
        ann.store("and here", self.room)

    def wait_for_room(self) -> None:
        until = time.monotonic() + 10
        while time.monotonic() < until:
            client = self.connect()
            client.ask_login(fresh("user"), rooms={})
            try:
                client.read("welcome")
            except (EOFError, TimeoutError):
                continue
            return
        self.fail("nobody is let in any more")
