"""Accounts, with real processes: registered, asked for, refused, made by the operator, on two servers."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from server.accounts import AT_ONCE
from server.threads import LAST
from tests.plain_client import Frame, PlainClient
from tests.processes import SERVER, ServerProcess
from tests.system.test_operator import CommandCase
from tests.terminal import Terminal


class AccountCase(CommandCase):
    def refusal(self, server: ServerProcess, user: str, **fields: Any) -> Frame | None:
        """Return the fatal ``error`` that a login gets; None where it is let in (and gone again)."""
        client = server.connect()
        self.addCleanup(client.close)
        client.ask_login(user, **fields)
        answer = client.read_any("welcome", "error", timeout=20)
        if answer.type == "welcome":
            client.say("quit")
        client.frames()
        return answer if answer.type == "error" else None

    def code(self, server: ServerProcess, user: str, **fields: Any) -> str:
        refusal = self.refusal(server, user, **fields)
        return "" if refusal is None else str(refusal["code"])

    def register(self, client: PlainClient, password: str, ref: int = 1, **fields: Any) -> Frame:
        """Register, and return the answer."""
        client.say("register", password=password, ref=ref, **fields)
        return client.answer(ref)[-1]


class Registered(AccountCase):
    def test_a_name_needs_its_password_from_then_on(self) -> None:
        server = self.serve("--auth", "accounts")
        ann = self.login(server, "ann")
        self.assertEqual(self.register(ann, "correct horse").type, "done")
        self.assertEqual(self.code(server, "ann"), "auth_failed")
        self.assertEqual(self.code(server, "ANN", password="battery"), "auth_failed")
        self.assertEqual(self.code(server, "ann", password="correct horse"), "")
        self.assertEqual(self.code(server, "\u0430nn"), "name_taken")
        self.assertEqual(self.code(server, "bob"), "")
        self.assertEqual(self.register(ann, "staple", 2, old="wrong")["code"], "auth_failed")
        self.assertEqual(self.register(ann, "staple", 3, old="correct horse").type, "done")
        self.assertEqual(server.terminate(), 0)
        server.start()
        self.assertEqual(self.code(server, "ann", password="correct horse"), "auth_failed")
        self.assertEqual(self.code(server, "ann", password="staple"), "")
        for secret in ("correct horse", "battery", "staple"):
            self.assertNotIn(secret, "\n".join(server.log))
            self.assertNotIn(secret.encode(), Path(self.folder, "chat.db").read_bytes())

    def test_others_are_served_while_passwords_are_guessed(self) -> None:
        server = self.serve("--auth", "accounts")
        self.does("users", "add", "ann", given=b"secret\n")
        bob = self.login(server, "bob")
        guesses = [server.connect() for _ in range(50)]
        for number, guess in enumerate(guesses):
            self.addCleanup(guess.close)
            guess.ask_login("ann", password=f"guess {number}")
        for _ in range(100):
            bob.store("hello")
        self.assertLess(server.peak_memory(), server.memory() + 64 * 2**20)
        threads = Path(f"/proc/{server.pid}/task").glob("*/stat")
        nice = [int(thread.read_text().rpartition(")")[2].split()[16]) for thread in threads]
        others = [os.getpriority(os.PRIO_PROCESS, 0)] * (len(nice) - AT_ONCE)
        self.assertEqual(sorted(nice), others + [LAST] * AT_ONCE)  # those that hash

    def test_what_is_no_text_is_no_password(self) -> None:
        self.serve("--auth", "accounts")
        self.assertIn("UTF-8", self.refuses("users", "add", "ann", given=b"\xff\xfe\n"))

    def test_what_is_kept_is_nobody_elses(self) -> None:
        self.serve("--auth", "accounts")
        self.does("backup", "copy.db")
        modes = {path.name: path.stat().st_mode & 0o077 for path in Path(self.folder).glob("*.db*")}
        self.assertEqual(modes, dict.fromkeys(modes, 0))
        self.assertIn("copy.db", modes)

    def test_two_servers(self) -> None:
        self.db = self.mariadb()
        with ExitStack() as stack:
            one, two = (stack.enter_context(ServerProcess("--auth", "accounts", db=self.db)) for _ in range(2))
            ann = self.login(one, "ann", key="k")
            also = self.login(two, "ann", key="k")
            alike = self.login(two, "\u0430nn")
            self.assertEqual(self.register(ann, "secret").type, "done")
            self.assertEqual(self.code(two, "ann", key="k"), "auth_failed")
            self.assertEqual(self.code(two, "ann", password="secret"), "")
            self.assertEqual(self.register(alike, "other")["code"], "name_taken")
            self.assertEqual(self.register(also, "changed", old="secret").type, "done")
            self.assertEqual(self.code(one, "ann", password="secret"), "auth_failed")
            self.assertEqual(self.code(one, "ann", password="changed"), "")
            self.does("users", "del", "ann")
            for client in (ann, also):
                self.assertEqual(client.frames()[-1].header, {"type": "bye", "reason": "kicked"})
            self.assertEqual(self.code(one, "ann"), "")


class ClosedServer(AccountCase):
    def test_one_voice(self) -> None:
        server = self.serve("--auth", "closed")
        self.does("users", "add", "ann", given=b"secret\n")
        for fields in ({}, {"password": "x"}):
            refusals = [self.refusal(server, user, **fields) for user in ("ann", "\u0430nn", "nobody")]
            self.assertEqual({str(each) for each in refusals}, {str(refusals[0])})
            self.assertEqual(refusals[0] and refusals[0]["code"], "auth_failed")
        self.assertEqual(self.code(server, "ann", password="secret"), "")


class Users(AccountCase):
    def test_all_that_can_be_done(self) -> None:
        server = self.serve("--auth", "accounts")
        self.does("users", "add", "Ann", "--operator", given=b"secret\n")
        self.does("users", "add", "bob", given="pässwörd".encode())
        ann = self.login(server, "ann", password="secret")
        self.assertEqual(self.code(server, "bob", password="pässwörd"), "")
        lines = self.does("users", "list").splitlines()
        self.assertEqual([line.split()[::2] for line in lines[1:]], [["operator", "Ann"], ["user", "bob"]])
        self.does("users", "passwd", "ann", given=b"changed\n")
        self.assertEqual(ann.frames()[-1]["reason"], "kicked")
        self.assertEqual(self.code(server, "ann", password="changed"), "")
        self.does("users", "role", "ann", "user")
        self.does("users", "del", "bob")
        self.assertEqual([line.split()[0] for line in self.does("users", "list").splitlines()[1:]], ["user"])
        self.assertEqual(self.code(server, "bob"), "")

    def test_whoever_has_the_name_goes(self) -> None:
        server = self.serve("--auth", "accounts")
        squatter = self.login(server, "ann")
        self.does("users", "add", "ann", given=b"secret\n")
        self.assertEqual(squatter.frames()[-1]["reason"], "kicked")
        self.assertEqual(self.code(server, "ann"), "auth_failed")

    def test_a_password_typed_in_a_terminal_is_not_seen(self) -> None:
        self.serve().terminate()
        with Terminal([*SERVER, "users", "add", "ann", "--db", self.db]) as terminal:
            terminal.wait_for("Password:")
            terminal.type("secret\r")
            terminal.wait_for("Once more:")
            terminal.type("secret\r")
            self.assertEqual(terminal.wait_exit(), 0)
            self.assertNotIn("secret", terminal.text)
        with Terminal([*SERVER, "users", "passwd", "ann", "--db", self.db]) as terminal:
            terminal.wait_for("Password:")
            terminal.type("one\r")
            terminal.wait_for("Once more:")
            terminal.type("two\r")
            self.assertEqual(terminal.wait_exit(), 1)
            terminal.wait_for("two different passwords; nothing was changed")
        with Terminal([*SERVER, "users", "passwd", "ann", "--db", self.db]) as terminal:
            terminal.wait_for("Password:")
            terminal.type("\x03")
            self.assertEqual(terminal.wait_exit(), 130)
            self.assertTrue(terminal.restored)
