"""A copy shows one moment, and ends, however much is written meanwhile."""

from __future__ import annotations

import sqlite3
from unittest.mock import patch

from sqlalchemy import URL

from storage import Storage, backup
from tests.storage.databases import Journal, OnSQLite, send, texts


class Backup(OnSQLite):
    def setUp(self) -> None:
        super().setUp()
        self.storage = self.open()
        self.target = self.path.with_name("copy.db")
        journal = Journal(self.storage)
        journal.commit(*(send(journal.open(), "x" * 1000) for _ in range(300)))
        for_pages = patch.object(backup, "PAGES", 4)
        for_pages.start()
        self.addCleanup(for_pages.stop)

    def test_one_moment(self) -> None:
        before = texts(self.storage)
        told: list[tuple[int, int]] = []

        def copied(done: int, total: int) -> None:
            self.assertFalse(self.target.exists())
            self.assertGreater(done, told[-1][0] if told else 0, "it began anew")
            told.append((done, total))
            self.storage.save_msg("lobby", "ann", "y" * 5000)

        backup.backup(self.path, self.target, copied)
        self.assertGreater(len(told), 5)
        self.assertEqual(told[-1][0], told[-1][1])
        copy = Storage(URL.create("sqlite", database=str(self.target)))
        self.addCleanup(copy.close)
        copy.prepare()
        self.assertEqual(texts(copy), before)
        self.assertEqual(len(texts(self.storage)), len(before) + len(told))

    def test_what_cuts_it_off_leaves_nothing(self) -> None:
        for error in (KeyboardInterrupt, SystemExit, sqlite3.OperationalError):

            def copied(done: int, total: int, error: type[BaseException] = error) -> None:
                raise error

            with self.assertRaises(error):
                backup.backup(self.path, self.target, copied)
            self.assertEqual(list(self.path.parent.glob("copy*")), [])
