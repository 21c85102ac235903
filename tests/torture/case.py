"""What the torture tests have in common: a seed, a talk, and what must be true in the end."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any
from unittest import TestCase

from sqlalchemy import URL

from tests.chance import seeded
from tests.mariadb import MariaDB
from tests.processes import ServerProcess
from tests.torture.talk import Talk, judge, wrong_contents


class TortureCase(TestCase):
    def setUp(self) -> None:
        self.chance = seeded()
        self.stack = ExitStack()
        self.addCleanup(self.stack.close)

    def talk(self, server: ServerProcess, **numbers: Any) -> Talk:
        """Return a talk on that server; see :class:`Talk` for its numbers."""
        talk = Talk(lambda: server.address, self.chance, **numbers)
        self.stack.callback(talk.close)
        return talk

    def judge(self, talk: Talk, server: ServerProcess, what: str, db: str | None = None) -> None:
        """Let the talk end, see that all is there once, print the figures, and end the server."""
        talk.finish()
        refused = any(person.refused for person in talk.people)
        verdict = judge(talk.people, db or server.db)
        wrong = list(wrong_contents(list(talk.uploaders), server.address))
        print(f"{what}\n{verdict}", flush=True)
        self.assertEqual(verdict.faults + wrong, [])
        self.assertGreater(verdict.acknowledged, verdict.messages / 2)
        self.assertEqual(server.terminate(), 0)
        if not refused:
            self.assertEqual([line for line in server.log if "Traceback" in line or " critical " in line], [])


def mariadb() -> tuple[MariaDB, URL]:
    """Return the shared MariaDB and the URL, over TCP, of a new database in it."""
    database = MariaDB.shared()
    return database, database.url(database.create(), tcp=True)


def shown(url: URL) -> str:
    """Return a URL as a flag has it."""
    return url.render_as_string(hide_password=False)
