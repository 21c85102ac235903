"""The operator's commands on a large database: how long each takes, of that its processor time, and its memory.

On SQLite, then imported into MariaDB, and back from there: the export has to stay the same.
"""

from __future__ import annotations

import argparse
import filecmp
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from sqlalchemy import URL

from bench.search import fill
from storage import Account, Batch, Register, Storage
from tests.mariadb import MariaDB
from tests.processes import SERVER, environment

ACCOUNTS: Final = 1000
HASH: Final = f"$argon2id$v=19$m=19456,t=2,p=1${'A' * 22}${'A' * 43}"

# Small, so that what is measured is the command's memory and not that of who starts it.
_MEASURE: Final = """
import os, resource, subprocess, sys
status = subprocess.call(sys.argv[2:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as file:
    print(used.ru_utime + used.ru_stime, used.ru_maxrss, file=file)
sys.exit(status)
"""


class Database:
    """A database on which commands are measured, and the ``folder`` for what they write."""

    def __init__(self, name: str, url: URL, folder: Path) -> None:
        self._name = name
        self._url = url.render_as_string(hide_password=False)
        self._folder = folder

    def run(self, *words: str, given: Path | None = None, into: Path | None = None) -> None:
        """Carry out a command and print what it took; raises CalledProcessError."""
        used = self._folder / "used"
        began = time.monotonic()
        with (given or Path(os.devnull)).open("rb") as source, (into or Path(os.devnull)).open("wb") as sink:
            subprocess.run(
                [sys.executable, "-I", "-S", "-c", _MEASURE, str(used), *SERVER, "--db", self._url, *words],
                stdin=source,
                stdout=sink,
                env=environment(),
                check=True,
            )
        seconds = time.monotonic() - began
        cpu, memory = map(float, used.read_text().split())
        what = f"{self._name}: {' '.join(words).partition('/')[0]}"
        print(f"{what:32} {seconds:7.1f} s, {cpu:6.1f} s of processor time, {memory / 1024:4.0f} MiB", flush=True)

    def look(self) -> None:
        """Carry out what changes nothing."""
        for words in ("rooms",), ("check",), ("users", "list"):
            self.run(*words)

    def export(self, into: Path) -> Path:
        """Write an export, and return where."""
        self.run("export", into=into)
        return into


def add_accounts(url: URL) -> None:
    """Give some people accounts, by a hash that no password has."""
    storage = Storage(url)
    storage.prepare()
    [*made] = storage.commit(Batch([Register(f"{number:03} people", HASH, None, 0) for number in range(ACCOUNTS)], 1))
    assert all(isinstance(account, Account) for account in made), made[:1]
    storage.close()


def main() -> None:
    """Measure them all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=1_000_000, help="of some 100 bytes, in one room [1000000]")
    messages = parser.parse_args().messages
    print(f"{messages} messages; the machine's load before is {os.getloadavg()[0]:.1f}")
    with TemporaryDirectory(prefix="bench-") as path:
        folder = Path(path)
        server = MariaDB.shared()
        urls = [URL.create("sqlite", database=str(folder / f"{name}.db")) for name in ("chat", "back")]
        add_accounts(urls[0])
        fill(urls[0], messages)
        sqlite, back = (Database("SQLite", url, folder) for url in urls)
        maria = Database("MariaDB", server.url(server.create()), folder)
        sqlite.look()
        sqlite.run("backup", str(folder / "copy.db"))
        first = sqlite.export(folder / "first")
        maria.run("import", given=first)
        maria.look()
        second = maria.export(folder / "second")
        back.run("import", given=second)
        third = back.export(folder / "third")
        for other in second, third:
            print("the same export:", filecmp.cmp(first, other, shallow=False))
        for database in sqlite, maria:
            database.run("prune", "--keep", str(messages // 2))


if __name__ == "__main__":
    main()
