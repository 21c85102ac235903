"""The operator's commands on databases of their own, in this process."""

from __future__ import annotations

import io
import sqlite3
import sys
import tempfile
from contextlib import closing, redirect_stderr, redirect_stdout
from pathlib import Path
from time import time
from unittest import TestCase
from unittest.mock import patch

from server import ping
from server.commands import prune
from server.commands.command import Refused
from server.program import ProgramOptions
from storage import Content, Piece, SendContent, Storage, StorageDown, StorageUnusable, UploadKey
from tests.mariadb import MariaDB
from tests.processes import SERVER, loaded, unread
from tests.storage.databases import ANN, Journal, send
from tests.storage.operating import EMPTY
from wire.frames import Ping, Pong, encode


class CommandCase(TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="chat-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.path = self.folder / "chat.db"
        self.db = f"sqlite:///{self.path}"
        self.status = 0
        self.errors = ""

    def does(self, *words: str, given: bytes = b"") -> str:
        """Carry out a command and return what it writes to standard output."""
        output = io.TextIOWrapper(io.BytesIO(), write_through=True)
        options = ProgramOptions()
        with (
            patch.dict("os.environ", {"CHAT_DB": self.db}),
            redirect_stdout(output),
            redirect_stderr(io.StringIO()) as errors,
            tempfile.TemporaryFile() as file,
            io.TextIOWrapper(file) as lines,
            patch.object(sys, "stdin", lines),
        ):
            file.write(given)
            file.seek(0)
            options.parseOptions(list(words))
            self.status = options.subOptions.run()
        self.errors = errors.getvalue()
        return output.buffer.getvalue().decode()

    def refuses(self, *words: str, given: bytes = b"") -> str:
        """See that a command is refused with one line, and return it."""
        with self.assertRaises((Refused, StorageUnusable, StorageDown, SystemExit)) as caught:
            self.does(*words, given=given)
        [line] = str(caught.exception).splitlines()
        return line

    def said(self, count: int) -> None:
        """Store that many messages in the lobby, and a file behind them."""
        with closing(Storage(self.db)) as storage:
            storage.prepare()
            journal = Journal(storage)
            lobby, ann = journal.open(), journal.known_sender()
            journal.commit(*(send(lobby, f"message {number}") for number in range(1, count + 1)))
            key = UploadKey("ann", ANN.client or b"", 1)
            content = Content(key, 7000, "file")
            journal.commit(Piece(ann, key, 0, b"content" * 1000), SendContent(ann, 1, lobby.key, "ann", 5, content))

    def change(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.path)) as database, database:
            for statement in statements:
                database.execute(statement)

    def room(self) -> list[str]:
        """Return how many messages the lobby has, its first and its last id."""
        return self.does("rooms").splitlines()[1].split()[:3]

    def assert_nothing_is_off(self) -> None:
        self.does("check")
        self.assertEqual((self.status, self.errors), (0, "nothing is off\n"))


class Flags(CommandCase):
    def test_what_is_wrong_is_one_line(self) -> None:
        for words, says in (
            (("nonsense",), "nonsense; see --help"),
            (("export", "--nonsense"), "see chat-server export --help"),
            (("export", "more"), "'more' is too much; see chat-server export --help"),
            (("prune",), "say either --older-than AGE or --keep COUNT; see chat-server prune --help"),
            (("prune", "--keep", "1", "--older-than", "1d"), "say either"),
            (("prune", "--keep", "-1"), "is not a number of messages"),
            (("prune", "--older-than", "90"), "'90' is not an age like 90d"),
            (("backup",), "name one file"),
            (("health", "a", "b"), "name one address"),
            (("health", "host:port"), "no address like"),
            (("export", "--db", "nonsense"), "use one like sqlite:///chat.db"),
        ):
            with self.subTest(words):
                self.assertIn(says, self.refuses(*words))

    def test_who_reads_may_have_read_enough(self) -> None:
        self.said(1)
        for words in (["rooms"], ["users", "list"], ["export"]):
            with self.subTest(words):
                self.assertEqual(unread([*SERVER, *words, "--db", self.db]), (1, ""))

    def test_a_database_that_is_missing_is_not_made(self) -> None:
        for words in (("export",), ("prune", "--keep", "1"), ("check",), ("rooms",), ("backup", "copy.db")):
            with self.subTest(words):
                self.assertIn("there is no database", self.refuses(*words))
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_a_database_that_is_none_of_ours(self) -> None:
        self.path.write_bytes(b"something else" * 1000)
        self.assertIn("no SQLite database", self.refuses("check"))
        self.path.unlink()
        self.change("CREATE TABLE something (size INTEGER)")
        self.assertIn("holds no chat; name another one with --db", self.refuses("rooms"))
        missing = MariaDB.shared().url("chat_none").render_as_string(hide_password=False)
        self.assertIn("CREATE DATABASE", self.refuses("rooms", "--db", missing))
        told = self.refuses("rooms", "--db", "mysql://a:secret@127.0.0.1:1/chat")
        self.assertIn("does not answer", told)
        self.assertNotIn("secret", told)

    def test_another_version_of_the_schema(self) -> None:
        self.does("import", given=EMPTY)
        for revision, says in (("0001", "older than this program (revision 0001); start the server"),
                               ("9999", "newer than this program (revision 9999); start the newer")):  # fmt: skip
            self.change(f"UPDATE alembic_version SET version_num = '{revision}'")
            for words in (("export",), ("prune", "--keep", "1"), ("check",), ("rooms",)):
                self.assertIn(says, self.refuses(*words))
            self.does("backup", str(self.folder / f"{revision}.db"))  # before an upgrade above all

    def test_the_database_named_anywhere(self) -> None:
        self.does("import", "--db", f"sqlite:///{self.folder}/a.db", given=EMPTY)
        self.does("--db", f"sqlite:///{self.folder}/b.db", "import", given=EMPTY)
        self.does("import", given=EMPTY)
        self.assertEqual({file.name for file in self.folder.iterdir()}, {"a.db", "b.db", "chat.db"})


class Imports(CommandCase):
    def test_a_broken_line_is_named(self) -> None:
        self.said(5)
        lines = self.does("export").encode().splitlines(keepends=True)
        self.db = f"sqlite:///{self.folder / 'new.db'}"
        for number, line, says in (
            (1, b"hello\n", "line 1 of the export: JSON is malformed"),
            (1, b'{"type":"chat","version":2}\n', "line 1 of the export: Invalid enum value 2"),
            (4, lines[3][:-10], "line 4 of the export: "),
            (4, b'{"type":"message"}\n', "missing required field `room`"),
            (4, b'{"type":"nonsense"}\n', "Invalid value 'nonsense'"),
            (4, b"[" * 100_000 + b"\n", "line 4 of the export: "),
            (4, b'{"type":"room","name":"\xff"}\n', "line 4 of the export: "),
            (4, lines[3].replace(b"message 2", b"\\ud800"), "line 4 of the export: "),
            (4, lines[3].replace(b'"id":2', b'"id":3'), "line 4 of the export: message 3 of lobby cannot stand here"),
            (4, lines[3].replace(b'"at":', b'"at":-'), "line 4 of the export: "),
            (4, b"", "line 4 of the export: message 3 of lobby cannot"),
            (len(lines), b"", f"line {len(lines) - 1} of the export: the export is cut off"),
        ):
            with self.subTest(line=line[:80]):
                told = self.refuses("import", given=b"".join([*lines[: number - 1], line, *lines[number:]]))
                self.assertIn(says, told)
                self.assertTrue(told.endswith("; nothing was imported"), told)
                self.assertEqual(self.does("export").encode(), EMPTY)
        self.does("import", given=b"".join(lines))


class Prunes(CommandCase):
    def test_to_the_newest(self) -> None:
        self.said(1000)
        told = self.does("prune", "--keep", "100")
        self.assertEqual(told, "lobby: 901 messages removed; it begins with 902 now\n")
        self.assertEqual(self.room(), ["100", "902", "1001"])
        self.assert_nothing_is_off()
        self.does("prune", "--keep", "0")
        with closing(sqlite3.connect(self.path)) as database:
            for table in ("messages", "uploads", "parts"):
                self.assertEqual(database.execute(f"SELECT count(*) FROM {table}").fetchone(), (0,))

    def test_by_age(self) -> None:
        self.said(10)
        self.change(f"UPDATE messages SET sent_at = {int(time() * 1000)} - 90 * 86400000 * (id < 5)")
        self.does("prune", "--older-than", "91d")
        self.assertEqual(self.room(), ["11", "1", "11"])
        self.does("prune", "--older-than", "12w")
        self.assertEqual(self.room(), ["7", "5", "11"])


class Gently(TestCase):
    def setUp(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        for name, stand_in in (("monotonic", lambda: self.now), ("sleep", self.sleep)):
            patched = patch.object(prune, name, stand_in)
            patched.start()
            self.addCleanup(patched.stop)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def test_servers_have_three_times_as_long_as_a_step_takes(self) -> None:
        left = [0.5, 0.25, 0.0]

        def step() -> int:
            took = left.pop(0)
            self.now += took
            return took > 0

        self.assertEqual(list(prune.gently(step)), [True, True])
        self.assertEqual(self.slept, [1.5, 0.75])

    def test_what_passes_is_waited_for_but_not_for_ever(self) -> None:
        answers = [None, None, 7]

        def step() -> int:
            answer = answers.pop(0) if answers else None
            if answer is None:
                raise StorageDown("away")
            return answer

        self.assertEqual(prune.persistently(step), 7)
        self.assertEqual(self.now, 2)
        self.assertRaises(StorageDown, prune.persistently, step)
        self.assertEqual(self.now, 2 + 61)


class Loading(TestCase):
    def test_a_health_check_takes_only_what_it_needs(self) -> None:
        asking = "from server.main import main; from contextlib import suppress\nwith suppress(SystemExit): "
        modules = loaded(f"{asking}main(['health', '127.0.0.1:0'])")
        self.assertIn("server.ping", modules)
        self.assertFalse({"twisted", "msgspec", "sqlalchemy", "asyncio", "ssl", "server.options"} & modules)

    def test_an_operators_command_takes_only_what_it_needs(self) -> None:
        modules = loaded("from server.program import ProgramOptions; ProgramOptions().parseOptions(['health'])")
        self.assertIn("server.commands.health", modules)
        self.assertFalse({"sqlalchemy", "alembic", "tqdm", "server.server", "twisted.internet.reactor"} & modules)


class Pings(TestCase):
    def test_they_are_frames(self) -> None:
        self.assertEqual((ping.PING, ping.PONG), (encode(Ping(1)), encode(Pong(1))))


class Checks(CommandCase):
    def test_a_line_for_each_fault_and_status_1(self) -> None:
        self.said(10)
        self.change("DELETE FROM messages WHERE id IN (4, 5)", "DELETE FROM parts")
        faults = self.does("check").splitlines()
        self.assertEqual((self.status, self.errors), (1, "2 faults\n"))
        self.assertEqual(faults[0], "lobby: messages 4 to 5 are missing")
        self.assertEqual(len(faults), 2)


class Users(CommandCase):
    def test_what_cannot_be(self) -> None:
        self.said(1)
        self.does("users", "add", "ann", given=b"secret\n")
        for words, given, why in (
            (("add", "ann"), b"x", "ann has an account already; passwd changes its password"),
            (("add", "\u0430nn"), b"x", "looks like ann, who has an account; choose another name"),
            (("add", "a b"), b"x", "'a b' is no name"),
            (("add", "bob"), b"", "an empty password is none"),
            (("add", "bob"), b"x" * 1025, "a password has at most 1024 bytes"),
            (("passwd", "bob"), b"x", "bob has no account"),
            (("role", "bob", "user"), b"", "bob has no account"),
            (("role", "ann", "king"), b"", "'king' is not one of user, operator"),
            (("del", "bob"), b"", "bob has no account"),
            (("del",), b"", "users del takes NAME"),
            (("list", "ann"), b"", "users list takes no more words"),
            (("passwd", "ann", "--operator"), b"x", "--operator is for add"),
            (("become", "ann"), b"", "say what to do: add, del, passwd, role, list"),
            ((), b"", "say what to do"),
            (("add", "bob", "--king"), b"x", "--king"),
        ):
            with self.subTest(words):
                self.assertIn(why, self.refuses("users", *words, given=given))
        self.assertEqual(len(self.does("users", "list").splitlines()), 2)
        self.assert_nothing_is_off()


class Backups(CommandCase):
    def test_a_copy_is_a_database(self) -> None:
        self.said(1000)
        exported = self.does("export")
        self.does("backup", str(self.folder / "copy.db"))
        self.assertEqual(self.does("export", "--db", f"sqlite:///{self.folder}/copy.db"), exported)

    def test_nothing_is_overwritten(self) -> None:
        self.said(1)
        there = self.folder / "there"
        there.write_text("precious")
        self.assertIn("there is there already; name a new file", self.refuses("backup", str(there)))
        self.assertEqual(there.read_text(), "precious")
        self.assertIn("chat.db is there already", self.refuses("backup", str(self.path)))
        self.assertIn("could not be copied to", self.refuses("backup", str(self.folder / "none" / "copy.db")))
        self.assertEqual(list(self.folder.glob("*.part")), [])

    def test_another_kind_of_database(self) -> None:
        told = self.refuses("backup", "--db", "mysql://user:secret@127.0.0.1:1/chat", "copy.db")
        self.assertIn("mysqldump --single-transaction chat > FILE", told)
