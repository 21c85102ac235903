"""The operator's commands as processes: beside a server, with pipes, and cut off by signals."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from unittest import TestCase

from tests import forkserver
from tests.mariadb import MariaDB
from tests.plain_client import PlainClient
from tests.processes import SERVER, ServerProcess, environment, on_a_full_disk, stopped
from tests.storage.operating import EMPTY


@contextmanager
def talking(client: PlainClient) -> Iterator[None]:
    """Have ``client`` say something, and then something again, all the while."""
    stop = threading.Event()

    def talk() -> None:
        while not stop.is_set():
            client.store("x" * 1000)

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


class CommandCase(TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="chat-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.db = f"sqlite:///{self.folder / 'chat.db'}"

    def start(self, *words: str, **variables: str) -> subprocess.Popen[bytes]:
        process = forkserver.start(
            [*SERVER, *words],
            cwd=self.folder,
            env={**environment(), "CHAT_DB": self.db, **variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def run_command(self, *words: str, given: bytes = b"", **variables: str) -> subprocess.CompletedProcess[bytes]:
        process = self.start(*words, **variables)
        output, errors = process.communicate(given, timeout=60)
        self.assertNotIn(b"Traceback", errors)
        return subprocess.CompletedProcess(words, process.returncode, output, errors)

    def does(self, *words: str, given: bytes = b"", **variables: str) -> str:
        """See that a command succeeds, and return what it writes to standard output."""
        ended = self.run_command(*words, given=given, **variables)
        self.assertEqual(ended.returncode, 0, ended)
        return ended.stdout.decode()

    def refuses(self, *words: str, given: bytes = b"", **variables: str) -> str:
        """See that a command ends with status 1 and one line, and return the line."""
        ended = self.run_command(*words, given=given, **variables)
        self.assertEqual(ended.returncode, 1, ended)
        [line] = ended.stderr.decode().splitlines()
        self.assertTrue(line.startswith("chat-server: "), line)
        return line

    def mariadb(self) -> str:
        server = MariaDB.shared()
        return server.url(server.create()).render_as_string(hide_password=False)

    def serve(self, *flags: str) -> ServerProcess:
        server = ServerProcess(*flags, db=self.db)
        self.addCleanup(server.close)
        server.start()
        return server

    def login(self, server: ServerProcess, user: str, **fields: object) -> PlainClient:
        client = server.connect()
        self.addCleanup(client.close)
        client.seq = client.login(user, **fields)["received"]
        return client

    def said(self, count: int) -> None:
        """Have a server store that many messages in the lobby, and a file behind them; it has ended then."""
        server = self.serve()
        ann = self.login(server, "ann", client="one", rooms={"lobby": 0})
        for number in range(1, count + 1):
            ann.send(f"message {number}")
        ann.read("ack", seq=count)
        ann.say("part", b"content" * 1000, upload=1, offset=0)
        ann.say("send", seq=count + 1, upload=1, size=7000, name="file")
        ann.read("ack", seq=count + 1)
        self.assertEqual(server.terminate(), 0)


class Archives(CommandCase):
    def test_into_the_other_database_and_back(self) -> None:
        self.said(50)
        first = self.does("export")
        self.db = self.mariadb()
        self.does("import", given=first.encode())
        second = self.does("export")
        self.db = f"sqlite:///{self.folder / 'back.db'}"
        self.does("import", given=second.encode())
        self.assertEqual(self.does("export"), first)
        self.assertEqual(second, first)
        lines = [json.loads(line) for line in first.splitlines()]
        self.assertEqual(lines[0], {"type": "chat", "version": 1})
        self.assertEqual(lines[1], {"type": "room", "name": "lobby", "first_id": 1, "last_id": 51})
        self.assertEqual(
            {**lines[2], "at": 0},
            {"type": "message", "room": "lobby", "id": 1, "from": "ann", "at": 0, "text": "message 1"},
        )
        self.assertEqual(lines[-1], {"type": "end", "records": len(lines) - 1})

    def test_a_client_goes_on_where_it_was(self) -> None:
        self.said(5)
        exported = self.does("export")
        self.db = self.mariadb()
        self.does("import", given=exported.encode())
        server = self.serve()
        ann = self.login(server, "ann", client="one", rooms={"lobby": 4})
        self.assertEqual([message["id"] for message in ann.read_messages("lobby", 6)], [5, 6])
        self.assertEqual(ann.store("on"), 7)

    def test_under_a_server_that_nobody_has_used(self) -> None:
        self.said(5)
        exported = self.does("export").encode()
        for db in (f"sqlite:///{self.folder / 'new.db'}", self.mariadb()):
            self.db = db
            server = self.serve()
            self.does("import", given=exported)
            bob = self.login(server, "bob", rooms={"lobby": 0})
            self.assertEqual(len(list(bob.read_messages("lobby", 6))), 6)
            self.assertEqual(bob.store("on"), 7)
            self.does("check")
            self.assertIn("there is a chat in the database already", self.refuses("import", given=exported))

    def test_while_people_talk(self) -> None:
        server = self.serve()
        ann = self.login(server, "ann", rooms={"lobby": 0})
        with talking(ann):
            for _ in range(3):
                lines = self.does("export").splitlines()
                self.assertEqual(json.loads(lines[-1])["records"], len(lines) - 1)
                self.assertEqual(json.loads(lines[1])["last_id"], sum('"message"' in line for line in lines))

    def test_what_cuts_an_import_off_leaves_nothing(self) -> None:
        self.said(5)
        lines = self.does("export").encode().splitlines(keepends=True)
        many = [lines[0], lines[1].replace(b'"last_id":6', b'"last_id":99999')]
        many += [lines[2].replace(b'"id":1', b'"id":%d' % id) for id in range(1, 10_000)]
        for db in (f"sqlite:///{self.folder / 'new.db'}", self.mariadb()):
            self.db = db
            for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)):
                process = self.start("import")
                assert process.stdin is not None
                process.stdin.write(b"".join(many))  # more than a pipe holds: it has taken most of it
                process.stdin.flush()
                process.send_signal(number)
                _, errors = process.communicate(timeout=60)
                self.assertEqual(process.returncode, status, errors)
                self.assertEqual(errors, b"")
                self.assertEqual(self.does("export").encode(), EMPTY)
            self.does("import", given=b"".join(lines))

    def test_who_reads_an_export_may_have_read_enough(self) -> None:
        self.said(2000)
        process = self.start("export")
        assert process.stdout is not None
        self.assertTrue(process.stdout.readline())
        process.stdout.close()
        self.assertEqual(process.wait(20), 1)
        assert process.stderr is not None
        self.assertEqual(process.stderr.read(), b"")

    def test_a_full_disk(self) -> None:
        self.said(10)
        for words in (["export", "--db", self.db], ["rooms", "--help"], ["--help"], ["--version"]):
            with self.subTest(words):
                status, errors = on_a_full_disk([*SERVER, *words])
                self.assertEqual((status, errors), (1, "chat-server: standard output: No space left on device\n"))


class Prunes(CommandCase):
    def test_while_people_talk(self) -> None:
        for db in (self.db, self.mariadb()):
            self.db = db
            self.said(3000)
            server = self.serve()
            ann = self.login(server, "ann", rooms={"lobby": 3001})
            process = self.start("prune", "--keep", "10")
            stored: list[int] = []
            while process.poll() is None or len(stored) < 20:
                stored.append(ann.store("on"))
            self.assertEqual(process.returncode, 0)
            self.assertEqual(stored, list(range(3002, 3002 + len(stored))))
            give_up_at = monotonic() + 20
            while self.first_id(ann) < 2992:  # it hears of it within a second
                self.assertLess(monotonic(), give_up_at)
            ann.close()
            self.assertEqual(server.terminate(), 0)
            self.does("check")

    def first_id(self, client: PlainClient) -> int:
        """Return where the server has the lobby begin, for a client that is in it."""
        client.say("join")
        return int(client.read("joined")["first_id"])

    def test_cut_off_it_goes_on_with_the_next(self) -> None:
        self.said(3000)
        process = self.start("prune", "--keep", "10")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
        self.assertIn(process.returncode, (130, -2, 0), errors)  # it may not even have begun
        self.does("prune", "--keep", "10")
        self.does("check")
        self.assertEqual(self.does("rooms").splitlines()[1].split()[0], "10")


class Backups(CommandCase):
    def test_while_people_talk(self) -> None:
        self.said(3000)
        server = self.serve()
        ann = self.login(server, "ann", rooms={"lobby": 3001})
        with talking(ann):
            for number in range(3):
                self.does("backup", f"{number}.db")
        self.assertEqual(server.terminate(), 0)
        for number in range(3):
            self.db = f"sqlite:///{self.folder}/{number}.db"
            self.does("check")
            server = self.serve()
            bob = self.login(server, "bob", rooms={"lobby": 3000})
            self.assertEqual(bob.read("message")["name"], "file")
            bob.close()
            self.assertEqual(server.terminate(), 0)


class HealthChecks(CommandCase):
    def test_a_server_that_lives(self) -> None:
        server = self.serve()
        self.does("health", str(server.port))
        self.does("health", f"127.0.0.1:{server.port}")
        with stopped(server.pid):
            self.assertIn("does not answer: timed out", self.refuses("health", str(server.port)))
        port = server.port
        self.assertEqual(server.terminate(), 0)
        self.assertIn(
            f"the server at 127.0.0.1:{port} does not answer: Connection refused", self.refuses("health", str(port))
        )

    def test_a_unix_socket(self) -> None:
        path = str(self.folder / "socket")
        with ServerProcess("--listen", f"unix:{path}"):
            self.does("health", path)
        self.assertIn(f"{path} does not answer", self.refuses("health", path))

    def test_something_else(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            asking = self.start("health", str(other.getsockname()[1]))
            connection, _ = other.accept()
            with connection:
                connection.sendall(b"220 mail.example.org ESMTP hello\r\n")
                _, errors = asking.communicate(timeout=20)
        self.assertEqual(asking.returncode, 1)
        self.assertIn(b"is no chat server", errors)
