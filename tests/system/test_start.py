"""How a server starts, how it says that it cannot, and what is there after a crash."""

from __future__ import annotations

import json
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from unittest import TestCase

from server.options import Options
from tests import forkserver
from tests.plain_client import PlainClient
from tests.processes import SERVER, TWISTD, ServerProcess, environment, unread


class StartCase(TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="chat-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def run_server(
        self, *flags: str, command: Sequence[str] = SERVER, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a server that is to end by itself."""
        process = forkserver.start(
            [*command, *flags],
            cwd=self.folder,
            env={**environment(), **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.kill)
        output, errors = process.communicate(timeout=30)
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    def assert_refused(self, *flags: str, says: str = "", **variables: str) -> None:
        """See that a server with these flags ends with status 1 and one line, which has ``says`` in it."""
        ended = self.run_server(*flags, **variables)
        self.assertEqual(ended.returncode, 1, ended)
        self.assertNotIn("Traceback", ended.stdout + ended.stderr)
        self.assertEqual(len(ended.stderr.strip().splitlines()), 1, ended.stderr)
        self.assertIn(says.lower(), ended.stderr.lower())


class Refusals(StartCase):
    def test_a_bad_flag(self) -> None:
        for flags in (("--nonsense",), ("--listen", "nonsense:7")):
            with self.subTest(flags):
                self.assert_refused(*flags, says="chat-server: ")
        for flags in (
            ("--port", "x"),
            ("--port", "-1"),
            ("--history", "-1"),
            ("--max-clients", "0"),
            ("--grace", "-1"),
            ("--ping", "0"),
            ("--log-format", "xml"),
            ("--metrics-port", "x"),
            ("--metrics-port", "65536"),
            ("--metrics-interface", ""),
            ("nonsense",),
        ):
            with (
                self.subTest(flags),
                self.assertRaisesRegex(SystemExit, r"\Achat-server: [^\n]+; see --help\Z"),
            ):
                Options().parseOptions(list(flags))

    def test_an_endpoint_that_cannot_be(self) -> None:
        for said, says in (
            ("ssl:0:privateKey=nope", "nope: no such file"),
            (f"ssl:0:privateKey={__file__}", "ssl:0"),
            ("haproxy:ssl:0:privateKey=nope", "nope: no such file"),
            ("unix:/nowhere/x", "no such file"),
            ("tcp:-5", "0-65535"),
            ("tcp:99999", "0-65535"),
            ("stdio:", "nobody else"),
        ):
            with self.subTest(said):
                self.assert_refused("--listen", said, says=said)
                self.assert_refused("--listen", said, says=says)

    def test_a_port_that_is_in_use(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            self.assert_refused("--listen", f"tcp:{port}:interface=127.0.0.1", says=str(port))
            self.assert_refused("--port", str(port), says=str(port))
            self.assert_refused("--port", "0", "--metrics-port", str(port), says=str(port))
            self.assert_refused("--port", "0", "--metrics-port", "0", "--metrics-interface", "nowhere.invalid")

    def test_a_folder_that_is_missing_or_none(self) -> None:
        file = self.folder / "file"
        file.touch()
        for path in (self.folder / "none" / "chat.db", file / "chat.db", Path("/proc/chat.db")):
            with self.subTest(path):
                self.assert_refused("--port", "0", "--db", f"sqlite:///{path}", says=str(path.parent))

    def test_a_database_that_is_none(self) -> None:
        file = self.folder / "chat.db"
        file.write_bytes(b"something else" * 1_000)
        self.assert_refused("--port", "0", "--db", f"sqlite:///{file}", says="chat.db")

    def test_an_unknown_kind_of_database(self) -> None:
        for url in ("nonsense", "postgresql://127.0.0.1/chat", "mysql+none://127.0.0.1/chat"):
            with self.subTest(url):
                self.assert_refused("--port", "0", "--db", url)

    def test_a_database_named_by_the_environment(self) -> None:
        self.assert_refused("--port", "0", CHAT_DB="nonsense")

    def test_a_password_is_not_shown(self) -> None:
        for url in (
            "nonsense://ann:secret@127.0.0.1/chat",
            "mysql+pymysql://ann:secret@127.0.0.1:1/chat",
            "mysql+pymysql://ann:pass@secret@127.0.0.1:1/chat",
            "mysql+pymysql://ann:secret@127.0.0.1:port/chat",
        ):
            ended = self.run_server("--port", "0", "--db", url, "--db-wait", "0")
            self.assertEqual(ended.returncode, 1)
            self.assertNotIn("secret", ended.stdout + ended.stderr)
            self.assertNotIn("Traceback", ended.stdout + ended.stderr)

    def test_a_password_file_that_is_not_there(self) -> None:
        variables = {"CHAT_DB": "mysql+pymysql://ann@127.0.0.1/chat", "CHAT_DB_PASSWORD_FILE": "/nowhere/password"}
        self.assert_refused("--port", "0", says="CHAT_DB_PASSWORD_FILE: [Errno 2]", **variables)

    def test_more_clients_than_there_may_be_files(self) -> None:
        self.assert_refused("--port", "0", "--max-clients", "100000000", says="--max-clients")

    def test_through_twistd(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            for flags in (
                ("--nonsense",),
                ("--port", str(taken.getsockname()[1])),
                ("--port", "0", "--db", "nonsense"),
            ):
                with self.subTest(flags):
                    ended = self.run_server(*flags, command=TWISTD)
                    self.assertEqual(ended.returncode, 1, ended)
                    self.assertNotIn("Traceback", ended.stdout + ended.stderr)


class Flags(StartCase):
    def test_help_tells_them_all(self) -> None:
        for command in (SERVER, TWISTD):
            ended = self.run_server("--help", command=command)
            self.assertEqual(ended.returncode, 0)
            for flag in [parameter[0] for parameter in Options.optParameters] + ["listen"]:
                self.assertIn(f"--{flag}", ended.stdout)

    def test_who_pages_through_the_help_may_have_read_enough(self) -> None:
        for words in (["--help"], ["--version"], ["rooms", "--help"]):
            with self.subTest(words):
                self.assertEqual(unread([*SERVER, *words]), (0, ""))

    def test_several_places_to_listen_at_and_a_unix_socket(self) -> None:
        path = self.folder / "chat.sock"
        with ServerProcess("--listen", f"unix:{path}") as server:
            with closing(server.connect()) as ann, closing(PlainClient.connect(str(path))) as bob:
                ann.login("ann", rooms={"lobby": 0})
                bob.login("bob", rooms={"lobby": 0})
                bob.store("hi")
                self.assertEqual(ann.read("message")["from"], "bob")
            self.assertEqual(server.terminate(), 0)

    def test_history(self) -> None:
        with ServerProcess("--history", "3") as server:
            with closing(server.connect()) as ann:
                ann.login("ann")
                for _ in range(10):
                    ann.store("x")
            with closing(server.connect()) as bob:
                bob.ask_login("bob", history=3)
                self.assertEqual([message["id"] for message in bob.read_messages("lobby", 10)], [8, 9, 10])
            with closing(server.connect()) as cid:
                cid.default_history = 3
                cid.login("cid")
                self.assertEqual([message["id"] for message in cid.read_messages("lobby", 10)], [8, 9, 10])

    def test_max_clients(self) -> None:
        with ServerProcess("--max-clients", "2") as server:
            ann, bob, cid = (server.connect() for _ in range(3))
            for client in (ann, bob, cid):
                self.addCleanup(client.close)
            ann.login("ann")
            bob.login("bob")
            cid.ask_login("cid")
            self.assertEqual([frame["code"] for frame in cid.frames() if frame.type == "error"], ["too_many"])
            self.assertEqual(ann.store("still here"), 1)

    def test_a_log_in_json(self) -> None:
        with ServerProcess("--log-format", "json") as server:
            with closing(server.connect()) as ann:
                ann.login("ann")
                ann.write(b"\x1b[2J\nno frame")
                ann.frames()
            self.assertEqual(server.terminate(), 0)
            for line in server.log:
                self.assertIsInstance(json.loads(line), dict, line)

    def test_no_content_and_no_secret_is_logged(self) -> None:
        with ServerProcess() as server:
            with closing(server.connect()) as ann:
                ann.login("ann", key="a-secret-key", client="a-secret-client")
                ann.store("a-secret-text")
                ann.write(b"a-secret-frame")
                ann.frames()
            self.assertEqual(server.terminate(), 0)
            self.assertNotIn("a-secret", "\n".join(server.log))


class Crash(StartCase):
    def test_what_was_acknowledged_is_there_after_kill_9(self) -> None:
        for command in (SERVER, TWISTD):
            with self.subTest(command=command[-1]), ServerProcess(command=command) as server:
                self.talk_through_crashes(server)
                self.assertEqual(server.terminate(), 0)
                self.assertNotIn("Traceback", "\n".join(server.log))

    def talk_through_crashes(self, server: ServerProcess) -> None:
        """Kill the server twice in the middle of a writer's talk; what it has not received is sent again."""
        texts = [f"message {number}" for number in range(1, 601)]
        acked = 0
        for until in (100, 300, 600):
            with closing(server.connect()) as ann:
                welcome = ann.login("ann", client="one", rooms={"lobby": 0})
                self.assertGreaterEqual(welcome["received"], acked)
                self.assertEqual(welcome["rooms"]["lobby"]["last_id"], welcome["received"])
                for text in texts[welcome["received"] :]:
                    ann.send(text)
                while ann.acked < until:
                    ann.read("ack")
                if until < 600:
                    server.kill()
                    ann.frames()
                    port = server.port
                    server.start()
                    self.assertEqual(server.port, port)
                acked = ann.acked
        with closing(server.connect()) as bob:
            bob.login("bob", rooms={"lobby": 0})
            self.assertEqual([message.text for message in bob.read_messages("lobby", 600)], texts)
            self.assertEqual(bob.until_pong(), [])

    def test_what_anyone_has_seen_is_there(self) -> None:
        with ServerProcess() as server:
            with closing(server.connect()) as ann, closing(server.connect()) as bob:
                ann.login("ann", rooms={"lobby": 0})
                bob.login("bob", rooms={"lobby": 0})
                for number in range(2_000):
                    ann.send(f"{number}")
                bob.read("message", id=200)
                server.kill()
                bob.frames()
                ann.frames()
                seen = max(bob.last["lobby"], ann.last["lobby"], ann.acked)
            server.start()
            with closing(server.connect()) as cid:
                last_id = cid.login("cid", rooms={"lobby": 0})["rooms"]["lobby"]["last_id"]
                self.assertGreaterEqual(last_id, seen)
                texts = [message.text for message in cid.read_messages("lobby", last_id)]
                self.assertEqual(texts, [f"{number}" for number in range(last_id)])
