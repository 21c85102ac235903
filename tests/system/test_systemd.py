"""The service under systemd: its units, a socket that outlives the server, and what the server tells."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import textwrap
from contextlib import ExitStack, closing
from pathlib import Path
from unittest import TestCase

from server.options import Options
from tests.plain_client import PlainClient
from tests.processes import ROOT, SERVER, ServerProcess, environment
from tests.programs import program

HELD = "systemd:domain=INET:name=chat"


def elsewhere(unit: str) -> str:
    """Return a unit, or a drop-in, for a program that is there where these tests run."""
    return unit.replace("/opt/console-chat/bin/chat-server", sys.executable)


class FolderCase(TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="chat-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)


class Units(FolderCase):
    def setUp(self) -> None:
        super().setUp()
        self.analyze = program("systemd-analyze", "systemd")
        for unit in (ROOT / "deploy").glob("console-chat.*"):
            (self.folder / unit.name).write_text(elsewhere(unit.read_text()))

    def run_analyze(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.analyze, *arguments], cwd=self.folder, capture_output=True, text=True, timeout=60, check=False
        )

    def test_systemd_has_nothing_to_say_against_them(self) -> None:
        ended = self.run_analyze("verify", "./console-chat.service", "./console-chat.socket")
        self.assertEqual((ended.returncode, ended.stdout + ended.stderr), (0, ""))

    def test_nor_against_the_flags_that_the_page_for_operators_adds(self) -> None:
        page = (ROOT / "docs" / "operating.md").read_text()
        [drop_in] = re.findall(
            r"console-chat\.service\.d/chat\.conf <<'END'\n(.*?)^    END$", page, re.DOTALL | re.MULTILINE
        )
        folder = self.folder / "console-chat.service.d"
        folder.mkdir()
        (folder / "chat.conf").write_text(elsewhere(textwrap.dedent(drop_in)))
        self.test_systemd_has_nothing_to_say_against_them()
        [words] = re.findall(r"^ExecStart=\S+ (.*?[^\\])$", textwrap.dedent(drop_in), re.DOTALL | re.MULTILINE)
        options = Options()
        options.parseOptions(words.replace("\\\n", "").split())
        self.assertEqual(options["listen"], ["tls:systemd:domain=INET6:name=chat"])

    def test_the_service_is_hardened(self) -> None:
        ended = self.run_analyze("security", "--offline=true", "--threshold=15", "./console-chat.service")
        self.assertEqual(ended.returncode, 0, ended.stdout[-300:])

    def test_the_socket_has_the_name_that_the_service_asks_for(self) -> None:
        service, port = ((self.folder / f"console-chat.{kind}").read_text() for kind in ("service", "socket"))
        self.assertEqual(re.findall(r"--listen systemd:domain=INET6:name=(\w+)$", service, re.MULTILINE), ["chat"])
        self.assertEqual(re.findall(r"^FileDescriptorName=(\w+)$", port, re.MULTILINE), ["chat"])


class Activation(FolderCase):
    def test_the_first_who_comes_starts_it(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        command = [program("systemd-socket-activate", "systemd"), f"--listen=127.0.0.1:{port}", "--fdname=chat"]
        variables = [f"--setenv={name}={value}" for name, value in environment().items()]
        server = ["--listen", HELD, "--db", f"sqlite:///{self.folder / 'chat.db'}"]
        with ExitStack() as stack:
            process = subprocess.Popen(
                [*command, *variables, *SERVER, *server], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            stack.enter_context(process)
            stack.callback(process.kill)  # or it would be waited for for ever where it does not do as it should
            assert process.stdout is not None
            assert process.stderr is not None
            self.assertIn("Listening on", process.stderr.readline())
            with closing(PlainClient.connect(("127.0.0.1", port))) as ann:
                self.assertTrue(any("listening on" in line for line in process.stdout), "it did not start")
                ann.login("ann")
                self.assertEqual(ann.store("hello"), 1)
                process.terminate()
                self.assertEqual(ann.frames()[-1].header, {"type": "bye", "reason": "shutdown"})
            self.assertEqual(process.wait(20), 0)

    def test_a_socket_that_is_not_there(self) -> None:
        for endpoint in (HELD, "systemd:domain=INET:index=0"):
            with self.subTest(endpoint), self.assertRaises(AssertionError) as refused:
                ServerProcess(listen=endpoint).start()
            self.assertIn("systemd has handed over no such socket", str(refused.exception))
            self.assertNotIn("Traceback", str(refused.exception))


class Restart(TestCase):
    def setUp(self) -> None:
        # Of both families, as the unit has it, where this machine has them.
        both = socket.has_dualstack_ipv6()
        family = socket.AF_INET6 if both else socket.AF_INET
        self.held = socket.create_server(("", 0), family=family, dualstack_ipv6=both)
        self.addCleanup(self.held.close)
        self.server = ServerProcess.behind(self.held)
        self.addCleanup(self.server.close)
        self.server.start()

    def connect(self) -> PlainClient:
        client = PlainClient.connect(("127.0.0.1", self.held.getsockname()[1]))
        self.addCleanup(client.close)
        return client

    def test_who_comes_while_no_server_is_there_waits_and_nothing_is_lost(self) -> None:
        texts = [f"message {number}" for number in range(300)]
        ann = self.connect()
        ann.login("ann", client="one", rooms={"lobby": 0})
        for text in texts:
            ann.send(text)
        ann.read("ack", seq=100)
        self.assertEqual(self.server.terminate(), 0)
        ann.frames()

        again = self.connect()  # nobody accepts it, but the socket takes it
        again.ask_login("ann", client="one", rooms={"lobby": 0})
        self.server.start()
        received = again.read("welcome")["received"]
        self.assertGreaterEqual(received, ann.acked)
        again.seq = received
        for text in texts[received:]:
            again.store(text)
        self.assertEqual([message.text for message in again.read_messages("lobby", 300)], texts)
        self.assertEqual(again.until_pong(), [])


class Told(FolderCase):
    """What it says at $NOTIFY_SOCKET."""

    def listen(self, name: str) -> socket.socket:
        ears = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(ears.close)
        ears.settimeout(20)
        ears.bind(name)
        return ears

    def test_ready_alive_and_about_to_end(self) -> None:
        for name in (str(self.folder / "notify"), f"\0chat-{os.getpid()}"):
            ears = self.listen(name)
            variables = {"NOTIFY_SOCKET": name.replace("\0", "@"), "WATCHDOG_USEC": "100000"}
            with self.subTest(name), ServerProcess(variables=variables) as server:
                told = {ears.recv(100) for _ in range(5)}
                self.assertEqual(told, {b"READY=1", b"WATCHDOG=1"})
                self.assertEqual(server.terminate(), 0)
                while (last := ears.recv(100)) == b"WATCHDOG=1":
                    pass
                self.assertEqual(last, b"STOPPING=1")

    def test_a_service_whose_systemd_is_gone_goes_on(self) -> None:
        variables = {"NOTIFY_SOCKET": str(self.folder / "nobody"), "WATCHDOG_USEC": "100000"}
        with ServerProcess(variables=variables) as server, closing(server.connect()) as ann:
            ann.login("ann")
            self.assertEqual(ann.store("hello"), 1)
            self.assertEqual(server.terminate(), 0)
            self.assertNotIn("Traceback", "\n".join(server.log))
