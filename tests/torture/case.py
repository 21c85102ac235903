"""What the torture tests have in common: a seed, a talk, and what must be true in the end."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from typing import Any
from unittest import TestCase

from sqlalchemy import URL

from storage import Storage
from tests.accounts import add_account
from tests.chance import new_seed
from tests.mariadb import MariaDB
from tests.plain_client import Address
from tests.processes import ServerProcess
from tests.torture.people import Person
from tests.torture.talk import Talk, judge, wrong_contents, wrong_fetches

FIGURES: list[str] = []  # what the tests of this process found


class TortureCase(TestCase):
    def setUp(self) -> None:
        self.seed = new_seed()
        self.chance = random.Random(self.seed)
        self.stack = ExitStack()
        self.addCleanup(self.stack.close)

    def note(self, figures: str) -> None:
        """Have this printed now, and again at the end of the run."""
        FIGURES.append(f"{self.id().removeprefix('tests.torture.test_')} SEED={self.seed}\n    {figures}")
        print(FIGURES[-1], flush=True)

    def talk(self, server: ServerProcess, address: Callable[[], Address] | None = None, **numbers: Any) -> Talk:
        """Return a talk on that server, or wherever ``address`` says; see :class:`Talk` for its numbers."""
        talk = Talk(address or (lambda: server.address), self.chance, **numbers)
        self.stack.callback(talk.close)
        with closing(Storage(server.db)) as storage:
            for talker in talk.talkers:
                add_account(storage, talker.user)
        return talk

    def judge(self, people: Sequence[Person], server: ServerProcess, what: str, db: str | None = None) -> None:
        """See that all is there once of what people said and heard, print the figures, and end the server."""
        verdict = judge(people, db or server.db)
        wrong = [*wrong_contents(people, server.address), *wrong_fetches(people)]
        self.note(f"{what}: {verdict}")
        self.assertEqual(verdict.faults + wrong, [])
        self.assertGreater(verdict.acknowledged, 0)
        self.assertEqual(server.terminate(), 0)
        if not any(person.refused for person in people):
            self.assertEqual([line for line in server.log if "Traceback" in line or " critical " in line], [])


def mariadb() -> tuple[MariaDB, URL]:
    """Return the shared MariaDB and the URL, over TCP, of a new database in it."""
    database = MariaDB.shared()
    return database, database.url(database.create(), tcp=True)


def shown(url: URL) -> str:
    """Return a URL as a flag has it."""
    return url.render_as_string(hide_password=False)
