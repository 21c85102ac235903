"""Two servers on one MariaDB are one chat."""

from __future__ import annotations

import atexit
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import cache
from typing import Any
from unittest import TestCase

from sqlalchemy import URL, text

from storage.changes import Change, Deleted, Kicked
from storage.database import connect, parse
from storage.signing import sign
from tests.mariadb import MariaDB
from tests.plain_client import Frame, PlainClient
from tests.processes import ServerProcess, stopped
from tests.system.case import fresh

FORGOTTEN = 40  # seconds within which a dead server is forgotten, also if it was frozen in a transaction


def two_servers(stack: ExitStack) -> tuple[URL, list[ServerProcess]]:
    """Return two servers, which end with ``stack``, and the empty database that they share."""
    database = MariaDB.shared()
    url = database.url(database.create())
    db = url.render_as_string(hide_password=False)
    return url, [stack.enter_context(ServerProcess(db=db)) for _ in range(2)]


@cache
def shared_servers() -> tuple[URL, list[ServerProcess]]:
    """Return the two that the tests of this process share."""
    stack = ExitStack()
    atexit.register(stack.close)
    return two_servers(stack)


class ClusterCase(TestCase):
    servers: Sequence[ServerProcess]
    url: URL

    def setUp(self) -> None:
        self.room = fresh("room")

    def enter(self, server: int, user: str | None = None, **fields: Any) -> PlainClient:
        """Log somebody in at a server who is in the test's own room from its beginning."""
        client = self.connect(server)
        client.login(user or fresh("user"), **{"rooms": {self.room: 0}, **fields})
        return client

    def connect(self, server: int) -> PlainClient:
        client = self.servers[server].connect()
        self.addCleanup(client.close)
        return client

    def refusal(self, server: int, user: str, **fields: Any) -> Frame | None:
        """Return the ``error`` that a login gets; None where it is let in (and gone again)."""
        client = self.connect(server)
        client.ask_login(user, **{"rooms": {self.room: 0}, **fields})
        answer = client.read_any("welcome", "error")
        client.say("quit")
        client.frames()
        return answer if answer.type == "error" else None

    def who(self, client: PlainClient) -> list[str]:
        client.say("who", room=self.room, ref=1)
        return [user for frame in client.answer(1)[:-1] for user in frame["users"]]

    def eventually(self, holds: Callable[[], bool], timeout: float = 10) -> None:
        until = time.monotonic() + timeout
        while not holds():
            self.assertLess(time.monotonic(), until, "not so in time")

    def act(self, *statements: str, told: Sequence[Change] = ()) -> None:
        """Do what an operator's command does, from a process of its own."""
        engine = connect(parse(self.url))
        self.addCleanup(engine.dispose)
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement), {"room": self.room})
            sign(connection, time.monotonic_ns(), 1, told)

    @property
    def key(self) -> int:
        engine = connect(parse(self.url))
        self.addCleanup(engine.dispose)
        with engine.connect() as connection:
            return int(connection.scalar(text("SELECT id FROM rooms WHERE name = :room"), {"room": self.room}))


class Cluster(ClusterCase):
    def setUp(self) -> None:
        super().setUp()
        self.url, self.servers = shared_servers()

    def tearDown(self) -> None:
        for server in self.servers:
            self.assertEqual([line for line in server.log if "Traceback" in line or " critical " in line], [])

    def test_all_see_one_order(self) -> None:
        writers = [self.enter(number % 2) for number in range(4)]
        readers = [self.enter(0), self.enter(1)]
        for number in range(50):
            for writer in writers:
                writer.send(f"{number}", self.room)
        seen = [[(it["id"], it["from"], it.text) for it in each.read_messages(self.room, 200)] for each in readers]
        self.assertEqual([id for id, *_ in seen[0]], [*range(1, 201)])
        self.assertEqual(seen[0], seen[1])

    def test_who_asks_after_an_ack_sees_it(self) -> None:
        """Also while what others stored before it is still being read."""
        ann, bob = self.enter(0), self.enter(1)
        for number in range(1, 60):
            bob.send("from there", self.room)
            id = ann.store("from here", self.room)
            ann.say("history", room=self.room, limit=500, ref=number)
            self.assertIn(id, [frame["id"] for frame in ann.answer(number)[:-1]])

    def test_a_name_is_taken_everywhere(self) -> None:
        user = fresh("user")
        ann = self.enter(0, user, key="hers", client="one")
        for secrets in ({}, {"key": "mine"}, {"client": "two"}, {"key": "mine", "client": "two"}):
            refusal = self.refusal(1, user.upper(), **secrets)
            assert refusal is not None, secrets
            self.assertEqual(refusal["code"], "name_taken")
        self.assertIsNone(self.refusal(1, user, key="hers", client="two"))
        ann.say("quit")
        ann.frames()
        self.eventually(lambda: self.refusal(1, user) is None)

    def test_a_name_is_shown_as_who_had_it_first_wrote_it(self) -> None:
        user = fresh("User")
        self.enter(0, user, key="hers")
        other = self.connect(1)
        self.assertEqual(other.login(user.upper(), key="hers")["user"], user)

    def test_a_name_that_many_want_at_once_is_given_to_one(self) -> None:
        user = fresh("user")
        crowd = [self.connect(number % 2) for number in range(20)]
        for client in crowd:
            client.ask_login(user, rooms={self.room: 0})
        answers = [client.read_any("welcome", "error").type for client in crowd]
        self.assertEqual(answers.count("welcome"), 1)

    def test_who_counts_all_and_presence_tells_of_them(self) -> None:
        both = ["ann" + self.room, "bob" + self.room]
        ann = self.enter(0, both[0])
        ann.read("presence", joined=both[:1])
        bob = self.enter(1, both[1])
        self.eventually(lambda: self.who(ann) == self.who(bob) == both)
        for client in (ann, bob):
            client.say("rooms", ref=2)
            listed = {name: info for frame in client.answer(2)[:-1] for name, info in frame["rooms"].items()}
            self.assertEqual(listed[self.room]["users"], 2)
        self.assertEqual(ann.read("presence", joined=both[1:])["users"], 2)
        outside = self.connect(0)
        outside.login(fresh("user"), rooms={})
        bob.say("quit")
        self.assertEqual(ann.read("presence", left=both[1:])["users"], 1)
        self.assertEqual(self.who(ann), both[:1])

    def test_who_is_at_both_counts_once(self) -> None:
        ann = self.enter(0, "ann" + self.room, key="hers")
        ann.read("presence", joined=["ann" + self.room])
        other = self.enter(1, "ann" + self.room, key="hers")
        self.eventually(lambda: self.who(other) == self.who(ann) == ["ann" + self.room])
        bob = self.enter(1, "bob" + self.room)
        ann.read("presence", joined=["bob" + self.room])
        other.say("quit")
        other.frames()
        bob.say("quit")
        self.assertEqual(ann.read("presence", left=["bob" + self.room])["users"], 1)
        self.assertNotIn("left", {field for frame in ann.inbox for field in frame.header if "ann" in str(frame)})

    def test_a_room_of_the_other_server_is_known(self) -> None:
        self.enter(0)
        stranger = self.connect(1)
        stranger.login(fresh("user"), rooms={})

        def is_known() -> bool:
            stranger.say("who", room=self.room, ref=1)
            return bool(stranger.read("error", ref=1)["code"] == "not_in_room")

        self.eventually(is_known)

    def test_the_same_client_elsewhere_replaces(self) -> None:
        user = fresh("user")
        old = self.enter(0, user, client="one")
        old.store("first", self.room)
        new = self.enter(1, user, client="one")
        self.assertEqual(new.acked, 1)  # `received`
        old.send("too late", self.room)
        self.assertEqual(old.frames()[-1].header, {"type": "bye", "reason": "replaced"})
        self.assertEqual(new.store("second", self.room), 2)
        self.assertEqual([it.text for it in new.read_messages(self.room, 2)], ["first", "second"])

    def test_nobody_who_wanders_forgets_a_room(self) -> None:
        """The other server may not have heard yet of what one has seen."""
        user, ann = fresh("user"), self.enter(0)
        client = self.enter(0, user, client="one")
        for number in range(1, 40):
            ann.store(f"{number}", self.room)
            client.read("message", id=number)
            client.reset()
            client = self.enter(number % 2, user, client="one", rooms={self.room: number})
            self.assertGreaterEqual(client.spans[self.room][1], number)

    def test_an_upload_goes_on_at_the_other_server(self) -> None:
        user = fresh("user")
        old = self.enter(0, user, client="one")
        old.say("part", b"begun here, ", upload=1, offset=0)
        old.say("resume", upload=1, ref=1)
        self.assertEqual(old.read("resumed")["size"], 12)
        new = self.enter(1, user, client="one")
        new.say("resume", upload=1, ref=1)
        self.assertEqual(new.read("resumed")["size"], 12)
        new.say("part", b"ended there", upload=1, offset=12)
        new.say("send", seq=1, room=self.room, upload=1, size=23)
        self.assertEqual(new.read("message").text, "begun here, ended there")

    def test_a_prune_reaches_everybody(self) -> None:
        """Also who has yet to be given what is pruned, and some of whom only the database would know it from."""
        writer = self.enter(0)
        for _ in range(120):
            writer.send("x" * 60_000, self.room)
        writer.read("ack", seq=120)
        stuck = [self.servers[server].connect(receive_buffer=4096) for server in (0, 1)]
        for client in stuck:
            self.addCleanup(client.close)
            client.login(fresh("user"), rooms={self.room: 0})
        self.act(
            "UPDATE rooms SET first_id = 120 WHERE name = :room",
            f"DELETE FROM messages WHERE room_id = {self.key} AND id < 120",
        )
        for client in stuck:
            joined = client.read("joined")
            self.assertEqual((joined["first_id"], joined["last_id"]), (120, 120))
            client.read("message", id=120)

    def test_deletions_and_kicks_reach_everybody(self) -> None:
        ann, bob = self.enter(0, "ann" + self.room), self.enter(1)
        ann.store("secret", self.room)
        bob.read("message", id=1)
        self.act(
            f"UPDATE messages SET text = '', deleted = 1 WHERE room_id = {self.key} AND id = 1",
            told=[Deleted(self.key, 1, "root"), Kicked("ann" + self.room)],
        )
        self.assertEqual(bob.read("deleted").header, {"type": "deleted", "room": self.room, "id": 1, "by": "root"})
        self.assertEqual(ann.frames()[-1].header, {"type": "bye", "reason": "kicked"})
        late = self.enter(1).read("message")
        self.assertEqual((late.text, late["deleted"]), ("", True))


class Unlike(ClusterCase):
    def test_servers_that_let_in_others_tell_their_operator(self) -> None:
        database = MariaDB.shared()
        db = database.url(database.create()).render_as_string(hide_password=False)
        with ServerProcess(db=db) as first, ServerProcess("--auth", "closed", db=db) as second:
            for server, line in (
                (first, "error another server of this chat has --auth closed, this one open"),
                (second, "error another server of this chat has --auth open, this one closed"),
            ):
                self.eventually(lambda server=server, line=line: any(line in it for it in server.log))  # type: ignore[misc]


class DeadServer(ClusterCase):
    def setUp(self) -> None:
        super().setUp()
        stack = ExitStack()
        self.addCleanup(stack.close)
        self.url, self.servers = two_servers(stack)

    def test_who_was_at_a_killed_one_is_forgotten(self) -> None:
        ann, bob = self.enter(0, "ann"), self.enter(1, "bob")
        self.eventually(lambda: self.who(ann) == ["ann", "bob"])
        self.assertIsNotNone(self.refusal(0, "bob"))
        self.servers[1].kill()
        bob.close()
        self.assertEqual(ann.read("presence", left=["bob"], timeout=FORGOTTEN)["users"], 1)
        self.eventually(lambda: self.refusal(0, "bob") is None)

    def test_one_that_ends_leaves_at_once(self) -> None:
        self.enter(1, "bob")
        self.servers[1].terminate()
        self.assertIsNone(self.refusal(0, "bob"))

    def test_one_that_was_taken_for_dead_checks_its_names_when_it_is_back(self) -> None:
        ann, dan = self.enter(0, "ann"), self.enter(1, "dan")
        bob, cy = self.enter(1, "bob"), self.enter(1, "cy", client="one")
        self.eventually(lambda: self.who(ann) == ["ann", "bob", "cy", "dan"])
        with stopped(self.servers[1].pid):
            self.eventually(lambda: self.who(ann) == ["ann"], FORGOTTEN)
            other = self.enter(0, "bob")
            self.enter(0, "cy", client="one")
        last = bob.frames()[-2:]
        self.assertEqual((last[0]["code"], last[1]["reason"]), ("name_taken", "protocol"))
        self.assertEqual(cy.frames()[-1]["reason"], "replaced")
        self.eventually(lambda: self.who(ann) == self.who(dan) == ["ann", "bob", "cy", "dan"])
        self.assertIsNotNone(self.refusal(0, "dan"))
        dan.send("still here", self.room)
        self.assertEqual(other.read("message").text, "still here")
