"""What somebody has who stole the database and the log: of passwords nothing but their argon2id hashes."""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b32encode, b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator

from sqlalchemy import MetaData, create_engine, select

from tests.system.test_accounts import AccountCase

FIRST, CHANGED = "correct horse battery", "staple of the horse"
MISTYPED, WRONG_OLD = "corect horse battery", "stable of the horse"
UNASKED = "nobody asked for it"  # shown with a name that has no account
OPERATORS, GIVEN = "pässwörd of the operator", "given by the operator"
PASSWORDS = (FIRST, CHANGED, MISTYPED, WRONG_OLD, UNASKED, OPERATORS, GIVEN)
CLIENT = "the secret of a client program"
PLAIN = sorted(it for it in hashlib.algorithms_guaranteed if not it.startswith("shake"))  # all take no time
BETWEEN = (b"", b" ", b":", b"\n", b"\0")
LENGTH = 12  # bytes of something that are enough to tell that it is there


class Stolen:
    """All bytes of it, looked through for what is made of a secret."""

    def __init__(self, pieces: Iterable[bytes], values: Iterable[bytes]) -> None:
        self._there = {piece[at : at + LENGTH] for piece in pieces for at in range(len(piece) - LENGTH + 1)}
        self._values = {b"", *values}  # with what a secret may have been mixed

    def shows(self, secret: str) -> bool:
        """Whether it has the secret, or a plain digest of it, as bytes or written in any usual way."""
        data = secret.encode()
        return self._has(data) or self._has(secret.encode("utf-16-le")) or any(map(self._has, self._digests(data)))

    def _digests(self, secret: bytes) -> Iterator[bytes]:
        for value in self._values:
            mixed = {it for between in BETWEEN for it in (secret + between + value, value + between + secret)}
            for name in PLAIN:
                yield hmac.digest(value, secret, name)
                yield from (hashlib.new(name, it).digest() for it in mixed)

    def _has(self, data: bytes) -> bool:
        ways = data, data.hex().encode(), b64encode(data), urlsafe_b64encode(data), b32encode(data)
        return any(way[:LENGTH] in self._there or way[:LENGTH].swapcase() in self._there for way in ways)


class StolenTests(AccountCase):
    def live(self) -> list[str]:
        """Have passwords given, mistyped and changed; return the log."""
        server = self.serve("--auth", "accounts")
        self.does("users", "add", "root", "--operator", given=OPERATORS.encode())
        ann = self.login(server, "ann", client=CLIENT)
        self.assertEqual(self.register(ann, FIRST).type, "done")
        self.assertEqual(self.code(server, "ann", password=MISTYPED), "auth_failed")
        self.assertEqual(self.code(server, "bob", password=UNASKED), "")
        refused = self.register(ann, CHANGED, 2, old=WRONG_OLD)
        self.assertEqual(refused["code"], "auth_failed")
        self.assertEqual(self.register(ann, CHANGED, 3, old=FIRST).type, "done")
        cy = self.login(server, "cy")
        self.assertEqual(self.register(cy, FIRST).type, "done")
        root = self.login(server, "root", password=OPERATORS)
        root.say("run", line="mute cy for 1h", ref=1)
        self.assertEqual(root.answer(1)[-1].type, "done")
        self.does("users", "passwd", "cy", given=GIVEN.encode())
        self.assertEqual(cy.frames()[-1]["reason"], "kicked")
        self.assertEqual(server.terminate(), 0)
        return server.log

    def rows(self) -> Iterator[tuple[str, str, object]]:
        """Return each value of each table, with the table's and the column's name."""
        engine = create_engine(self.db)
        self.addCleanup(engine.dispose)
        tables = MetaData()
        tables.reflect(engine)
        with engine.connect() as connection:
            for table in tables.tables.values():
                for row in connection.execute(select(table)):
                    yield from ((table.name, name, value) for name, value in row._mapping.items())

    def check(self) -> None:
        log = "\n".join(self.live())
        rows = list(self.rows())
        values = [value if isinstance(value, bytes) else str(value).encode() for _, _, value in rows]
        files = [file.read_bytes() for file in self.folder.iterdir()]  # with what was there and is not any more
        stolen = Stolen([log.encode(), *values, *files], values)
        self.assertTrue(stolen.shows(CLIENT))  # drawn at random, it need not be hashed slowly: what is there is found
        for password in PASSWORDS:
            self.assertFalse(stolen.shows(password), password)
        hashes = [str(value) for *column, value in rows if column == ["accounts", "password"]]
        self.assertEqual(len(hashes), 3)
        for hash in hashes:
            self.assertRegex(hash, r"^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$")
        self.assertFalse([row for row in rows if row[:2] != ("accounts", "password") and re.search("argon", str(row))])

    def test_sqlite(self) -> None:
        self.check()

    def test_mariadb(self) -> None:
        self.db = self.mariadb()
        self.check()
