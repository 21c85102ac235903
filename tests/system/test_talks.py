"""Talks of two, with real processes: on two servers with one database, and on one whose operator looks on."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from tests.plain_client import PlainClient
from tests.processes import ROOT, ServerProcess, environment
from tests.system.case import fresh
from tests.system.test_operator import CommandCase
from tests.system.test_orders import OrdersCase
from tests.terminal import Terminal


class Talks(OrdersCase):
    """Ann is on one server, and bob on the other."""

    def setUp(self) -> None:
        super().setUp()
        self.users = [fresh("Ann"), fresh("bob")]
        self.ann, self.bob = (self.account(server, user, rooms={}) for server, user in enumerate(self.users))
        self.his, self.hers = (f"@{user}" for user in self.users)  # what each calls it

    def texts(self, client: PlainClient, room: str, last_id: int) -> list[str]:
        return [message.text for message in client.read_messages(room, last_id)]

    def test_both_see_one_order(self) -> None:
        self.ann.join(self.hers)
        self.ann.send("first", self.hers)
        self.assertEqual(self.bob.read("joined")["room"], self.his)
        for number in range(30):
            self.ann.send(f"ann {number}", self.hers)
            self.bob.send(f"bob {number}", self.his)
        heard = self.texts(self.ann, self.hers, 61)
        self.assertEqual(self.texts(self.bob, self.his, 61), heard)
        self.assertEqual(len(set(heard)), 61)
        for client in (self.ann, self.bob):
            self.assertEqual(client.read("ack", seq=30)["room"], self.hers if client is self.ann else self.his)

    def test_each_of_ones_own_connections_gets_it(self) -> None:
        others = [self.account(server, user, rooms={}) for server, user in ((1, self.users[0]), (0, self.users[1]))]
        self.ann.join(self.hers)
        self.ann.store("hello", self.hers)
        for client, room in ((others[0], self.hers), (others[1], self.his), (self.bob, self.his)):
            joined = client.read("joined", room=room)
            self.assertEqual((joined["first_id"], joined["last_id"]), (1, 0))
            self.assertEqual(self.texts(client, room, 1), ["hello"])

    def test_who_comes_later_finds_it(self) -> None:
        self.bob.say("quit")
        self.bob.frames()
        self.ann.join(self.hers)
        self.ann.store("are you there?", self.hers)
        bob = self.account(1, self.users[1], rooms={})
        bob.say("rooms", ref=1)
        listed = {name: room for frame in bob.answer(1)[:-1] for name, room in frame["rooms"].items()}
        self.assertEqual(listed[self.his]["last_id"], 1)
        bob.join(self.his, after=0)
        self.assertEqual(self.texts(bob, self.his, 1), ["are you there?"])

    def test_large_texts_and_files(self) -> None:
        self.ann.join(self.hers)
        content = b"content" * 20_000
        for offset in range(0, len(content), 60_000):
            self.ann.say("part", content[offset : offset + 60_000], upload=1, offset=offset)
        self.ann.say("send", room=self.hers, seq=1, upload=1, size=len(content), name="file")
        [message] = self.bob.read_messages(self.his, 1)
        self.assertEqual((message["name"], message["size"]), ("file", len(content)))
        self.bob.say("fetch", room=self.his, id=1, ref=1)
        self.assertEqual(b"".join(part.body for part in self.bob.answer(1)[:-1]), content)

    def test_who_is_there_and_what_was_deleted(self) -> None:
        self.ann.join(self.hers)
        self.ann.store("secret", self.hers)
        self.bob.read("joined")
        for client, room in ((self.ann, self.hers), (self.bob, self.his)):
            self.eventually(lambda: self.there(client, room) == sorted(self.users, key=str.lower))  # noqa: B023
        self.ann.say("delete", room=self.hers, id=1, ref=2)
        self.assertEqual(self.ann.answer(2)[-1].type, "done")
        self.assertEqual(self.bob.read("deleted", room=self.his)["by"], self.users[0])

    def there(self, client: PlainClient, room: str) -> list[str]:
        client.say("who", room=room, ref=1)
        return [user for frame in client.answer(1)[:-1] for user in frame["users"]]

    def test_nobody_else_has_it(self) -> None:
        """Not an operator either."""
        eve = self.account(0, fresh("eve"), rooms={})
        self.ann.join(self.hers)
        self.ann.store("secret", self.hers)
        self.bob.read_messages(self.his, 1)
        for client in (eve, self.root):
            client.join(self.hers)
            client.join(self.his)
            asked: list[tuple[str, dict[str, Any]]] = [
                ("history", {"limit": 9}), ("search", {"query": "secret", "limit": 9}), ("fetch", {"id": 1})
            ]  # fmt: skip
            for room in (self.his, self.hers):
                for ref, (kind, fields) in enumerate(asked, 20):
                    client.say(kind, room=room, ref=ref, **fields)
                    self.assertIn(client.answer(ref)[0].type, ("done", "error"))
                self.assertEqual(len(self.there(client, room)), 1)
        self.ann.store("more", self.hers)
        self.assertEqual(self.texts(self.bob, self.his, 2), ["more"])
        for client in (eve, self.root):
            self.assertEqual([frame for frame in client.until_pong() if frame.type == "message"], [])


class Operated(CommandCase):
    def member(self, server: ServerProcess, user: str) -> PlainClient:
        self.does("users", "add", user, given=b"secret\n")
        return self.login(server, user, password="secret", rooms={})

    def test_what_the_operator_sees_of_it(self) -> None:
        server = self.serve("--auth", "accounts")
        ann, bob = self.member(server, "Ann"), self.member(server, "bob")
        ann.join("@bob")
        for number in range(10):
            ann.store(f"secret {number}", "@bob")
        bob.read_messages("@Ann", 10)
        [line] = [line for line in self.does("rooms").splitlines() if "@" in line]
        self.assertRegex(line, r"^ +10 +1 +10 .* @[a-z2-7]{31} ann bob$")
        self.does("prune", "--keep", "3")
        self.does("check")
        exported = self.does("export")
        self.assertIn("secret 9", exported)
        bob.say("history", room="@Ann", limit=9, ref=1)
        self.assertEqual([frame["id"] for frame in bob.answer(1)[:-1]], [8, 9, 10])
        self.assertEqual(server.terminate(), 0)
        self.assertNotIn("secret", "\n".join(server.log))
        self.db = f"sqlite:///{self.folder / 'other.db'}"
        self.does("import", given=exported.encode())
        self.assertEqual(self.does("export"), exported)
        server = self.serve("--auth", "accounts")
        again = self.login(server, "bob", password="secret", rooms={"@ann": 9})
        self.assertEqual([message.text for message in again.read_messages("@Ann", 10)], ["secret 9"])

    def test_an_account_that_goes_takes_its_talks_along(self) -> None:
        server = self.serve("--auth", "accounts")
        ann = self.member(server, "ann")
        bob = self.member(server, "bob")
        ann.join("@bob")
        ann.store("secret", "@bob")
        bob.read_messages("@ann", 1)
        self.does("users", "del", "bob")
        ann.read("left", room="@bob")
        later = self.member(server, "bob")
        later.join("@ann", after=0)
        later.store("hello", "@ann")
        self.assertEqual([message.text for message in later.read_messages("@ann", 1)], ["hello"])
        self.assertEqual([message.text for message in ann.read_messages("@bob", 1)[-1:]], ["secret"])
        self.assertEqual([message.text for message in ann.read_messages("@bob", 1)], ["hello"])

    def chat(self, server: ServerProcess, user: str) -> Terminal:
        """Return a terminal in which a user talks."""
        secret = self.folder / "secret"
        secret.write_text("secret\n")
        home = {"HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder), "XDG_STATE_HOME": str(self.folder)}
        words = [user, "--port", str(server.port), "--password-file", str(secret)]
        terminal = Terminal([sys.executable, str(ROOT / "cmd" / "cli"), *words], env=home)
        return self.enterContext(terminal)

    def users(self, client: PlainClient) -> list[str]:
        client.say("who", ref=1)
        return [user for frame in client.answer(1)[:-1] for user in frame["users"]]

    def test_in_a_terminal(self) -> None:
        server = self.serve("--auth", "accounts")
        ann = self.member(server, "ann")
        self.does("users", "add", "bob", given=b"secret\n")
        ann.join("@bob")
        ann.store("are you there?", "@bob")
        bob = self.chat(server, "bob")  # who missed it
        bob.wait_for("[1:lobby] 2:@ann(1!)")
        bob.type("\x1ba")
        bob.wait_for("ann are you there?")
        bob.type("yes\r")
        self.assertEqual([it.text for it in ann.read_messages("@bob", 2)], ["are you there?", "yes"])
        bob.type("\x0e/leave @ann\r")
        bob.wait_for(lambda: "@ann" not in bob.text.splitlines()[-2])
        eve = self.member(server, "eve")
        eve.join("@bob")
        for text in ("hello", "bob?"):
            eve.store(text, "@bob")
        bob.wait_for("[1:lobby] 2:@eve(2!)")  # the view stays
        bob.type("/msg ann here again\r")
        bob.wait_for("bob here again")
        self.assertEqual(ann.read_messages("@bob", 3)[-1].text, "here again")
        bob.type("/msg nobody hello\r")
        bob.wait_for("not in @nobody: nobody has no account")
        bob.type("/quit\r")
        self.assertEqual(bob.wait_exit(), 0)
        again = self.chat(server, "bob")
        again.wait_for("2:@eve(2!)")

    def test_in_a_pipe_nothing_comes_unasked(self) -> None:
        server = self.serve("--auth", "accounts")
        ann = self.member(server, "ann")
        self.does("users", "add", "bob", given=b"secret\n")
        secret = self.folder / "secret"
        secret.write_text("secret\n")
        words = [sys.executable, str(ROOT / "cmd" / "cli"), "bob", "--port", str(server.port)]
        home = {"HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder), "XDG_STATE_HOME": str(self.folder)}
        flags = ["--password-file", str(secret), "--room", "@ann"]
        sent = subprocess.run([*words, *flags], input=b"by itself\n", env=environment() | home, timeout=60)
        self.assertEqual(sent.returncode, 0)
        self.assertEqual([it.text for it in ann.read_messages("@bob", 1)], ["by itself"])
        with subprocess.Popen(
            [*words, *flags[:2]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment() | home
        ) as pipe:
            assert pipe.stdin
            assert pipe.stdout
            ann.join()
            while "bob" not in self.users(ann):
                pass
            ann.store("secret", "@bob")
            ann.store("to all")
            self.assertEqual(pipe.stdout.readline(), b"ann: to all\n")
            pipe.stdin.close()

    def test_a_server_without_accounts_has_none(self) -> None:
        client = self.login(self.serve(), "ann")
        client.say("join", room="@bob")
        self.assertEqual(client.read("error")["code"], "forbidden")
