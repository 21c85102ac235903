"""Keeping order on two servers with one database: what is done on one is felt on the other."""

from __future__ import annotations

import atexit
from contextlib import ExitStack
from functools import cache
from typing import Any

from storage import Role, Storage
from tests.accounts import PASSWORD, add_account
from tests.mariadb import MariaDB
from tests.plain_client import Frame, PlainClient
from tests.processes import ServerProcess
from tests.system.case import fresh
from tests.system.test_cluster import ClusterCase


@cache
def two_servers() -> tuple[Any, list[ServerProcess]]:
    """Return two servers with accounts, and the database that they share; root is its operator."""
    stack = ExitStack()
    atexit.register(stack.close)
    database = MariaDB.shared()
    url = database.url(database.create())
    db = url.render_as_string(hide_password=False)
    return url, [stack.enter_context(ServerProcess("--auth", "accounts", db=db)) for _ in range(2)]


class OrdersCase(ClusterCase):
    def setUp(self) -> None:
        super().setUp()
        self.url, self.servers = two_servers()
        self.root = self.account(0, fresh("root"), Role.OPERATOR)

    def tearDown(self) -> None:
        for server in self.servers:
            self.assertEqual([line for line in server.log if "Traceback" in line or " critical " in line], [])

    def account(self, server: int, user: str, role: Role = Role.USER, **fields: Any) -> PlainClient:
        """Log somebody in by an account, which is made where there is none."""
        self.add_account(user, role)
        return self.enter(server, user, password=PASSWORD, **fields)

    def add_account(self, user: str, role: Role) -> None:
        storage = Storage(self.url)
        self.addCleanup(storage.close)
        add_account(storage, user, role)

    def order(self, client: PlainClient, line: str, **fields: Any) -> str:
        """Run it and return its answer, or the code of the error."""
        client.say("run", line=line, ref=9, **{"room": self.room, **fields})
        *texts, last = client.answer(9)
        return str(last["code"]) if last.type == "error" else "\n".join(text.text for text in texts)

    def ended(self, client: PlainClient) -> list[str]:
        """Return the text and the reason with which it ends."""
        frames = client.frames()
        return [frame["text"] if frame.type == "error" else frame["reason"] for frame in frames[-2:]]

    def gone(self, client: PlainClient, room: str) -> None:
        client.read("left", room=room)


class Orders(OrdersCase):
    def test_a_kick(self) -> None:
        bob = fresh("bob")
        here, there = self.enter(0, bob, key="k"), self.enter(1, bob, key="k")
        self.assertEqual(self.order(self.root, f"kick {bob} be nice"), f"{bob} is kicked")
        for client in (here, there):
            self.assertEqual(self.ended(client), ["kicked: be nice", "kicked"])
        self.assertIsNone(self.refusal(1, bob))
        self.assertIn(f"kick {bob}: be nice", self.order(self.root, "audit"))

    def test_a_ban(self) -> None:
        eve = fresh("eve")
        there = self.enter(1, eve)
        self.assertEqual(self.order(self.root, f"ban {eve} for 2h spam").partition(" until ")[0], f"{eve} is banned")
        text, reason = self.ended(there)
        self.assertRegex(text, r"^banned until \d{4}-\d\d-\d\d \d\d:\d\d UTC: spam$")
        self.assertEqual(reason, "kicked")
        for server in (0, 1):
            refused = self.refusal(server, eve.upper())
            assert refused is not None
            self.assertEqual((refused["text"], refused["fatal"]), (text, True))
        self.order(self.root, f"unban {eve}")
        self.eventually(lambda: self.refusal(1, eve) is None)

    def test_a_mute(self) -> None:
        bob = fresh("bob")
        there = self.enter(1, bob)
        self.order(self.root, f"mute {bob} hush")
        self.eventually(lambda: self.answer(there, there.send("hello", self.room)) == "muted: hush")
        self.order(self.root, f"unmute {bob}")
        self.eventually(lambda: self.answer(there, there.send("hello", self.room)) == "")

    def answer(self, client: PlainClient, seq: int) -> str:
        """Return why a send was refused; nothing where it was stored."""
        answer = client.read(None, seq=seq)
        return str(answer["text"]) if answer.type == "error" else ""

    def test_a_deletion(self) -> None:
        ann, bob = self.account(0, fresh("ann")), self.enter(1)
        for text in ("one", "SECRET", "three"):
            ann.store(text, self.room)
        bob.read_messages(self.room, 3)
        bob.say("delete", room=self.room, id=2, ref=1)
        self.assertEqual(bob.answer(1)[-1]["code"], "forbidden")
        ann.say("delete", room=self.room, id=2, ref=1)
        self.assertEqual(ann.answer(1)[-1].type, "done")
        for client in (ann, bob, self.root):
            self.assertEqual(client.read("deleted", room=self.room)["id"], 2)
        late = self.enter(1)
        self.assertEqual([message.text for message in late.read_messages(self.room, 3)], ["one", "", "three"])
        asked: list[tuple[str, dict[str, Any]]] = [("search", {"query": "secret", "limit": 9}), ("fetch", {"id": 2})]
        for ref, (kind, fields) in enumerate(asked, 10):
            bob.say(kind, room=self.room, ref=ref, **fields)
            answer = bob.answer(ref)
            self.assertEqual([frame.type for frame in answer], ["done" if kind == "search" else "error"])
        bob.say("history", room=self.room, limit=9, ref=5)
        self.assertEqual([frame.header.get("deleted", False) for frame in bob.answer(5)[:-1]], [False, True, False])

    def test_a_private_room(self) -> None:
        den, ann, bob = fresh("den"), fresh("ann"), fresh("bob")
        owner, there = self.account(0, ann), self.account(1, bob)
        owner.join(den)
        there.join(den)
        owner.store("SECRET", den)
        self.assertIn("is private", self.order(owner, "private", room=den))
        there.read("left", room=den)
        self.assertEqual(self.codes(there, den), {"unknown_room"})
        self.assertNotIn(den, self.rooms(there))
        self.order(owner, f"invite {bob}", room=den)
        self.eventually(lambda: self.joined(there, den))
        self.assertEqual(self.order(owner, f"uninvite {bob}", room=den), f"{bob} may not be in {den} any more")
        there.read("left", room=den)
        self.assertEqual(self.codes(there, den), {"unknown_room"})
        again = self.connect(1)
        again.closed = {den}
        again.login(bob, password=PASSWORD, rooms={"lobby": None, den: 0})
        self.assertEqual(set(again.spans), {"lobby"})

    def joined(self, client: PlainClient, room: str) -> bool:
        client.ask_join(room)
        answer: Frame = client.read_any("joined", "error")
        return answer.type == "joined"

    def codes(self, client: PlainClient, room: str) -> set[str]:
        """Return how everything is refused that one could ask about a room."""
        asked: list[tuple[str, dict[str, Any]]] = [
            ("history", {"limit": 9}), ("search", {"query": "secret", "limit": 9}), ("who", {}), ("fetch", {"id": 1}),
            ("delete", {"id": 1}), ("run", {"line": "invited"}),
        ]  # fmt: skip
        for ref, (kind, fields) in enumerate(asked, 20):
            client.say(kind, room=room, ref=ref, **fields)
        client.say("join", room=room)
        return {client.read("error", ref=ref)["code"] for ref in range(20, 20 + len(asked))} | {
            client.read("error", room=room)["code"]
        }

    def rooms(self, client: PlainClient) -> set[str]:
        client.say("rooms", ref=8)
        return {name for frame in client.answer(8)[:-1] for name in frame["rooms"]}
