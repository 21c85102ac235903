from __future__ import annotations

import subprocess
import sys
import unittest
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, create_engine, inspect

from storage import Storage, StorageDown, StorageUnusable
from storage.schema import metadata
from storage.upgrade import migrations
from tests.mysql import MySQL
from tests.storage.databases import Cases, OnNewMariaDB, OnSQLite, texts

ROOT = Path(__file__).resolve().parent.parent.parent
REVISIONS = [it.revision for it in ScriptDirectory(str(ROOT / "storage" / "migrations")).walk_revisions()][::-1]
Columns = dict[str, dict[str, bool]]
PREPARE = """
import sys
from storage import Storage, StorageDown
storage = Storage(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
while True:
    try:
        storage.prepare()
        break
    except StorageDown:  # another one holds the lock: a server tries again too
        pass
storage.save_msg("lobby", "ann", "hello")
"""


def columns(connection: Connection) -> Columns:
    """Return each table's columns, and of each whether a row may be written that does not name it."""
    found = inspect(connection)
    return {
        table: {it["name"]: it["nullable"] or it["default"] is not None for it in found.get_columns(table)}
        for table in found.get_table_names()
    }


class Preparing(Cases):
    def refused(self, url: URL | str, reason: str) -> str:
        with self.assertRaisesRegex(StorageUnusable, reason) as caught:
            Storage(url).prepare()
        text = str(caught.exception)
        self.assertEqual(len(text.splitlines()), 1)
        return text

    def test_migrations_lead_from_nothing_to_the_schema(self) -> None:
        self.open()
        engine = create_engine(self.url)
        self.addCleanup(engine.dispose)
        with engine.connect() as connection:
            self.assertEqual(compare_metadata(MigrationContext.configure(connection), metadata), [])
            self.assertEqual(set(inspect(connection).get_table_names()), {*metadata.tables, "alembic_version"})

    def test_what_was_stored_stays(self) -> None:
        self.open().save_msg("lobby", "ann", "hello")
        self.assertEqual(texts(self.open()), ["hello"])

    def test_who_serves_by_an_older_schema_goes_on_when_it_is_upgraded(self) -> None:
        """Each step keeps all tables, columns and rows, and what it adds need not be named."""
        engine = create_engine(self.url)
        self.addCleanup(engine.dispose)
        before: Columns = {}
        for revision in REVISIONS:
            with self.subTest(revision), engine.begin() as connection:
                command.upgrade(migrations(connection), revision)
                after = columns(connection)
                for table, there in before.items():
                    self.assertLessEqual(there.keys(), after[table].keys())
                    added = after[table].keys() - there.keys()
                    self.assertEqual([name for name in added if not after[table][name]], [])
                before = after
            if revision == REVISIONS[0]:
                self.change(
                    "INSERT INTO rooms (id, name, folded, first_id, last_id) VALUES (1, 'lobby', 'lobby', 1, 1)",
                    "INSERT INTO messages (room_id, id, sender, sent_at, text) VALUES (1, 1, 'ann', 0, 'hello')",
                )
        self.assertEqual(texts(self.open()), ["hello"])

    def test_an_upgrade_that_was_cut_off_is_finished(self) -> None:
        self.open()
        self.change("DELETE FROM alembic_version", "DROP TABLE servers", "DROP TABLE senders")
        self.open().save_msg("lobby", "ann", "hello")

    def test_many_that_start_at_once(self) -> None:
        url = self.url.render_as_string(hide_password=False)
        many = [
            subprocess.Popen(
                [sys.executable, "-c", PREPARE, url],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(4)
        ]
        for process in many:
            assert process.stdout is not None
            self.assertEqual(process.stdout.readline(), "ready\n")
        for process in many:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        errors = [process.communicate(timeout=60)[1] for process in many]
        self.assertEqual([process.returncode for process in many], [0] * 4, "\n".join(errors))
        self.assertEqual(texts(self.open()), ["hello"] * 4)

    def test_a_newer_database_is_left_alone(self) -> None:
        self.open()
        self.change("UPDATE alembic_version SET version_num = '9999'")
        self.assertIn("9999", self.refused(self.url, "newer than this program"))

    def test_a_table_that_is_not_ours(self) -> None:
        self.change("CREATE TABLE rooms (id INTEGER PRIMARY KEY, size INTEGER)")
        self.refused(self.url, "cannot be used")

    def change(self, *statements: str) -> None:
        engine = create_engine(self.url)
        self.addCleanup(engine.dispose)
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)


class PreparingSQLite(Preparing, OnSQLite):
    def at(self, path: Path) -> URL:
        return URL.create("sqlite", database=str(path))

    def test_a_folder_that_is_missing(self) -> None:
        self.refused(self.at(self.path.parent / "none" / "chat.db"), "folder must exist")

    def test_a_folder_in_place_of_the_file(self) -> None:
        self.refused(self.at(self.path.parent), "cannot be used")

    def test_a_file_that_may_not_be_written(self) -> None:
        self.open().close()
        read_only = URL.create("sqlite", database=f"file:{self.path}", query={"mode": "ro", "uri": "true"})
        self.refused(read_only, "allowed to write")

    def test_a_file_of_another_kind(self) -> None:
        self.path.write_bytes(b"hello" * 1000)
        self.refused(self.url, "no SQLite database")

    def test_synced_and_not_waiting_for_each_other(self) -> None:
        self.open()
        engine = create_engine(self.url)
        self.addCleanup(engine.dispose)
        with engine.connect() as connection:
            self.assertEqual(connection.exec_driver_sql("PRAGMA journal_mode").scalar(), "wal")


class PreparingMariaDB(Preparing, OnNewMariaDB):
    def test_over_tcp(self) -> None:
        assert self.url.database
        Storage(self.server.url(self.url.database, tcp=True)).prepare()

    def test_the_kind_may_be_named_shortly(self) -> None:
        for kind in ("mysql", "mariadb", "mariadb+pymysql"):
            storage = Storage(self.url.set(drivername=kind))
            self.addCleanup(storage.close)
            storage.prepare()

    def test_a_wrong_password(self) -> None:
        text = self.refused(self.url.set(password="s3cret"), "Access denied.*check user and password")
        self.assertNotIn("s3cret", text)

    def test_a_database_that_is_not_there(self) -> None:
        self.refused(self.url.set(database="chat_none"), "CREATE DATABASE `chat_none`")

    def test_a_database_that_is_not_ours(self) -> None:
        self.refused(self.url.set(database="mysql"), "GRANT ALL ON `mysql`")

    def test_a_server_that_does_not_answer_yet(self) -> None:
        url = self.url.set(host="127.0.0.1", port=1, query={})
        with self.assertRaises(StorageDown) as caught:
            Storage(url).prepare()
        self.assertNotIn(self.server.password, str(caught.exception))


class PreparingMySQL(PreparingMariaDB):
    kind = MySQL

    def test_it_is_genuine(self) -> None:
        with create_engine(self.url).connect() as connection:
            self.assertNotIn("MariaDB", connection.exec_driver_sql("SELECT VERSION()").scalar_one())


class Urls(unittest.TestCase):
    def test_what_is_no_url_is_not_repeated(self) -> None:
        with self.assertRaises(StorageUnusable) as caught:
            Storage("mysql:/chat:s3cret@db")
        self.assertNotIn("s3cret", str(caught.exception))

    def test_other_kinds(self) -> None:
        for url in ("postgresql://db/chat", "mysql+mysqldb://db/chat", "sqlite+aiosqlite:///chat.db", "nonsense://"):
            with self.assertRaisesRegex(StorageUnusable, "not supported"):
                Storage(url)

    def test_a_database_must_be_named(self) -> None:
        for url in ("sqlite://", "sqlite:///:memory:", "mysql+pymysql://chat@db"):
            with self.assertRaisesRegex(StorageUnusable, "names no database"):
                Storage(url)
