"""Accounts at the client: what it says, what it asks for, and that nobody sees a password."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

from twisted.internet.defer import Deferred, succeed

from cli import AskRefused, Listener, LoginRefused, State
from cli.login import Another
from cli.password import BadPasswordFile, in_file, in_keyring
from tests.cli.programs import CHAT, SOON, ProgramCase
from tests.cli.test_client import ClientCase
from tests.plain_client import PlainClient
from tests.processes import ServerProcess
from tests.terminal import Terminal
from wire.frames import Done, Error, Register

REFUSED = Error(code="auth_failed", text="the password is missing", fatal=True)


class Asked(Listener):
    """Whom the client asks for passwords."""

    def __init__(self, *answers: str | None) -> None:
        self.waiting: list[Deferred[str | None]] = []
        self.asked: list[str] = []
        self._answers = list(answers)

    def password(self, why: str) -> Deferred[str | None]:
        self.asked.append(why)
        if self._answers:
            return succeed(self._answers.pop(0))
        self.waiting.append(Deferred())
        return self.waiting[-1]


class LoggingIn(ClientCase):
    def refused(self, **options: Any) -> None:
        self.client, self.started = self.network.client(**options)
        self.network.accept().say(REFUSED)
        self.clock.advance(0)

    def test_a_password_that_is_known_is_said(self) -> None:
        self.network.client(password="secret")
        self.assertEqual(self.network.accept().welcome().password, "secret")

    def test_one_is_asked_for_where_it_is_missing(self) -> None:
        listener = Asked()
        self.refused(listener=listener)
        self.assertEqual(listener.asked, ["the password is missing"])
        self.clock.advance(100)
        self.assertFalse(self.network.trying)  # a person takes time
        self.assertEqual(self.client.check_status().retry_at, None)
        [waiting] = listener.waiting
        waiting.callback("secret")
        self.assertEqual(self.again().welcome().password, "secret")
        self.assertIs(self.successResultOf(self.started), self.client)

    def test_until_it_is_right(self) -> None:
        listener = Asked("one", "two")
        self.refused(listener=listener)
        self.again().say(REFUSED)
        self.clock.advance(0)
        self.assertEqual(self.again().welcome().password, "two")
        self.assertEqual(len(listener.asked), 2)

    def test_whoever_has_none_is_not_let_in(self) -> None:
        for options in ({}, {"listener": Asked(None)}):
            self.refused(**options)
            for _ in range(10):
                self.clock.advance(1)
            refused = self.failureResultOf(self.started, LoginRefused).value
            self.assertEqual(refused.code, "auth_failed")
            self.assertIs(self.state(), State.CLOSED)
            self.assertFalse(self.network.trying)

    def test_one_may_leave_while_it_is_asked_for(self) -> None:
        self.refused(listener=Asked())
        self.clock.advance(5)
        self.successResultOf(self.client.close())
        self.failureResultOf(self.started)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_it_is_asked_for_again_where_it_was_changed_meanwhile(self) -> None:
        listener = Asked("new")
        self.live(password="old", listener=listener).cut()
        self.again().say(REFUSED)
        self.clock.advance(0)
        self.assertEqual(self.again().welcome().password, "new")

    def test_registering(self) -> None:
        end = self.live()
        registered = self.client.register("new")
        [(frame, _)] = end.heard()
        self.assertEqual(frame, Register(password="new", ref=1))
        end.say(Done(ref=1))
        self.successResultOf(registered)
        end.cut()
        end = self.again()
        self.assertEqual(end.welcome().password, "new")
        refused = self.client.register("newer", "wrong")
        [(frame, _)] = end.heard()
        self.assertEqual(frame, Register(password="newer", ref=2, old="wrong"))
        end.say(Error(code="auth_failed", text="wrong", ref=2))
        self.failureResultOf(refused, AskRefused)
        end.cut()
        self.assertEqual(self.again().welcome().password, "new")


class Kept(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.file = self.folder / "password"

    def test_in_a_file(self) -> None:
        for content, password in ((b"secret\n", "secret"), (b"a b \r\nmore", "a b "), ("pä".encode(), "pä"), (b"", "")):
            self.file.write_bytes(content)
            self.assertEqual(in_file(str(self.file)), password)
            with patch.dict(os.environ, CHAT_PASSWORD_FILE=str(self.file)):
                self.assertEqual(in_file(""), password)
        self.assertIsNone(in_file(""))
        with patch.dict(os.environ, HOME=str(self.folder)):
            self.assertEqual(in_file("~/password"), "")

    def test_in_none(self) -> None:
        self.file.write_bytes(b"\xff")
        for path in (self.file, self.folder, self.folder / "none"):
            with self.assertRaisesRegex(BadPasswordFile, f"the password is to be in {path}: "):
                in_file(str(path))

    def test_in_the_keyring(self) -> None:
        class Locked(Exception):
            pass

        kept = {("console-chat", "ann@host:1"): "secret"}

        def get(service: str, user: str) -> str | None:
            if user.startswith("locked"):
                raise Locked
            return kept.get((service, user))

        self.assertIsNone(in_keyring("ann", "host:1"))  # it is not installed
        errors = ModuleType("keyring.errors")
        errors.KeyringError = Locked  # type: ignore[attr-defined]
        found = {"keyring": SimpleNamespace(get_password=get, errors=errors), "keyring.errors": errors}
        with patch("cli.password.find_spec", return_value=object()), patch.dict(sys.modules, found):
            self.assertEqual(in_keyring("ann", "host:1"), "secret")
            self.assertIsNone(in_keyring("bob", "host:1"))
            self.assertIsNone(in_keyring("locked", "host:1"))
            listener = Asked("typed")
            another = Another("ann", "host:1", listener)
            said: list[str | None] = []
            for _ in range(2):
                another("why").addCallback(said.append)
            self.assertEqual(said, ["secret", "typed"])


class AccountCase(ProgramCase):
    def setUp(self) -> None:
        super().setUp()
        self.server = self.enterContext(ServerProcess("--auth", "accounts"))
        client = self.server.connect()
        self.addCleanup(client.close)
        client.login(self.ann)
        self.register(client, "secret")
        client.close()
        self.file = self.folder / "password"
        self.file.write_text("secret\n")

    def register(self, client: PlainClient, password: str) -> None:
        client.say("register", password=password, ref=1)
        client.answer(1)

    def environment(self, config: str = "a") -> dict[str, str]:
        return {**super().environment(config), "XDG_STATE_HOME": str(self.folder / config)}

    def written(self) -> bytes:
        """All that the programs have written into their folder, but for the file with the password."""
        return b"".join(path.read_bytes() for path in self.folder.rglob("*") if path.is_file() and path != self.file)


class Programs(AccountCase):
    def test_a_file(self) -> None:
        by_flag = ("--password-file", str(self.file))
        self.assertEqual(self.run_chat("send", self.ann, *by_flag, said=b"one")[::2], (0, ""))
        self.assertEqual(self.run_chat(self.ann, *by_flag, said=b"two\n")[::2], (0, ""))
        with patch.dict(os.environ, CHAT_PASSWORD_FILE=str(self.file)):
            said = self.run_chat("tail", self.ann)
        self.assertEqual(said, (0, f"{self.ann}: one\n{self.ann}: two\n".encode(), ""))
        config = self.folder / "b" / "console-chat" / "config.toml"
        config.parent.mkdir(parents=True)
        config.write_text(f'password-file = "{self.file}"\n')
        self.assertEqual(self.run_chat("tail", self.ann, "-n", "0", config="b"), (0, b"", ""))
        self.assertNotIn(b"secret\n", self.written())

    def test_without_one(self) -> None:
        for arguments in (("send", self.ann), (self.ann,)):
            status, _, complaint = self.run_chat(*arguments, said=b"x")
            self.assertEqual(status, 1)
            self.assert_one_line(complaint)
            self.assertIn("--password-file FILE", complaint)
        status, _, complaint = self.run_chat("tail", self.ann, "--password-file", "none")
        self.assertEqual((status, complaint), (1, "chat: the password is to be in none: No such file or directory\n"))

    def test_typed(self) -> None:
        command = [*CHAT, "tail", self.ann, "--port", str(self.server.port), "-n", "0"]
        with Terminal(command, env=self.environment()) as terminal:
            terminal.wait_for("password:")
            terminal.type("wrong\r")
            terminal.wait_for(lambda: terminal.text.count("password:") == 2)
            terminal.type("secret\r")
            self.assertEqual(terminal.wait_exit(), 0)
            self.assertNotIn("secret", terminal.text)
            self.assertTrue(terminal.restored)
        with Terminal(command, env=self.environment()) as terminal:
            terminal.wait_for("password:")
            terminal.type("\x03")
            self.assertEqual(terminal.wait_exit(), 1)
            self.assertTrue(terminal.restored)


class Screens(AccountCase):
    def open(self, user: str, *flags: str) -> Terminal:
        command = [*CHAT, user, "--port", str(self.server.port), *flags]
        env = {**self.environment(), "HOME": str(self.folder)}
        return self.enterContext(Terminal(command, 100, 24, env=env))

    def quit(self, terminal: Terminal) -> None:
        terminal.type("/quit\r")
        self.assertEqual(terminal.wait_exit(), 0)
        self.assertTrue(terminal.restored)

    def test_a_password_is_asked_for_unseen(self) -> None:
        terminal = self.open(self.ann)
        terminal.wait_for(f"password of {self.ann}:")
        terminal.type("wrong\r")
        terminal.wait_for(f"not this one: password of {self.ann}:")
        terminal.type("secres\x7ft")
        terminal.wait_for("••••••")
        terminal.type("\r")
        terminal.wait_for("live")
        terminal.type("hello\r")
        terminal.wait_for(f"{self.ann} hello")
        self.assertNotIn(b"secret", terminal.output)
        self.quit(terminal)
        self.assertNotIn(b"secret", self.written())

    def test_a_password_typed_too_soon_is_told_to_nobody(self) -> None:
        terminal = self.open(self.ann)
        terminal.type("secret?\r")
        terminal.wait_for("secret? (cancelled)")
        terminal.wait_for(f"password of {self.ann}:")
        terminal.type("wrong\rsecret!\r")  # the second before anybody can have looked at the first
        terminal.wait_for(f"not this one: password of {self.ann}:")
        terminal.type("secret\r")
        terminal.wait_for("live")
        terminal.type("hello\r")
        terminal.wait_for(f"{self.ann} hello")
        self.assertNotIn(b"secret!", terminal.output)
        self.quit(terminal)
        said = self.run_chat("tail", self.ann, "--password-file", str(self.file))[1]
        self.assertEqual(said, f"{self.ann}: hello\n".encode())

    def test_who_has_none_leaves(self) -> None:
        terminal = self.open(self.ann)
        terminal.wait_for(f"password of {self.ann}:")
        terminal.type("\x03")
        self.assertEqual(terminal.wait_exit(), 1)
        self.assertIn(f"{self.ann} is not let in", terminal.text)

    def test_register_and_passwd(self) -> None:
        terminal = self.open(self.bob)
        terminal.wait_for("live")
        terminal.type("/register hunter1\r")
        terminal.wait_for("type nothing behind the")
        terminal.type("/register\r")
        terminal.wait_for("a new password:")
        terminal.type("hunter2\r")
        terminal.wait_for("once more:")
        terminal.type("hunter3\r")
        terminal.wait_for("these were two different ones; a new password:")
        for question in ("a new password:", "once more:"):
            terminal.wait_for(question)
            terminal.type("hunter2\r")
        terminal.wait_for(f"{self.bob} needs this password from now on")
        for old, new, answer in (("wrong", "hunter4", "not changed"), ("hunter2", "hunter4", "password is changed")):
            terminal.type("/passwd\r")
            terminal.wait_for("the password until now:")
            terminal.type(f"{old}\r")
            terminal.wait_for("a new password:")
            terminal.type(f"{new}\r")
            terminal.wait_for("once more:")
            terminal.type(f"{new}\r")
            terminal.wait_for(answer)
        self.server.terminate()
        terminal.wait_for("offline")
        self.server.start()
        terminal.wait_for("live")  # by the new one
        self.quit(terminal)
        self.assertNotIn(b"hunter", self.written())
        seen = terminal.output.replace(b"/register hunter1", b"")
        self.assertNotIn(b"hunter2", seen)
        self.file.write_text("hunter4")
        self.assertEqual(self.run_chat("tail", self.bob, "--password-file", str(self.file), "-n", "0")[0], 0)

    def test_it_is_not_in_the_list_of_processes(self) -> None:
        program = self.start(self.ann, "--password-file", str(self.file), stdin=subprocess.PIPE)
        assert program.stdin is not None
        program.stdin.write(b"x\n")
        program.stdin.flush()
        self.assertNotIn(b"secret", Path(f"/proc/{program.pid}/cmdline").read_bytes())
        self.assertNotIn(b"secret", Path(f"/proc/{program.pid}/environ").read_bytes())
        program.send_signal(signal.SIGTERM)
        program.wait(SOON)
