"""A private MariaDB: on a folder, a socket and a port of its own, and gone with the process that asked for it."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import tempfile
import time
from functools import cache
from itertools import count
from pathlib import Path
from typing import Self

from sqlalchemy import URL, NullPool, create_engine
from sqlalchemy.exc import OperationalError

from tests.processes import only_child, reserved
from tests.programs import program

_PATIENCE = 60  # seconds for a start or an end
_PATIENCE_AT_FIRST = 120  # seconds until its own tables are there


class MariaDB:
    """One ``mariadbd``; databases in it are made with :meth:`create`.

    Raises SkipTest where MariaDB is not installed, but AssertionError where the environment has ``CI`` set.
    """

    user = "chat"
    password = "pass:w@rd"

    def __init__(self) -> None:
        self._command = self._find()
        self._folder = Path(tempfile.mkdtemp(prefix="chat-db-"))  # short: a socket's path has 107 bytes at most
        self._socket = self._folder / "socket"
        self._reserved = reserved()  # it takes seconds until it listens
        self.port: int = self._reserved.getsockname()[1]
        root = URL.create("mysql+pymysql", "root", host="localhost", query={"unix_socket": str(self._socket)})
        self._root = create_engine(root, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self._names = (f"chat{number}" for number in count(1))
        self._process: subprocess.Popen[bytes] | None = None
        self._is_under = False
        atexit.register(self.stop)
        self._install()
        self.begin()

    def begin(self) -> None:
        """Start it for the first time."""
        self.start()
        self.run(f"CREATE USER {self.user}@'%' IDENTIFIED BY '{self.password}'")
        self.run(f"GRANT ALL ON `chat%`.* TO {self.user}@'%'")

    @classmethod
    @cache
    def shared(cls) -> Self:
        """Return the one that all tests of this process share."""
        return cls()

    def create(self) -> str:
        """Make a new, empty database and return its name."""
        name = next(self._names)
        self.run(f"CREATE DATABASE {name}")
        return name

    def url(self, database: str, *, tcp: bool = False) -> URL:
        """Return SQLAlchemy's URL of ``database``, over the UNIX socket or over TCP."""
        url = URL.create("mysql+pymysql", self.user, self.password, database=database)
        if tcp:
            return url.set(host="127.0.0.1", port=self.port)
        return url.set(host="localhost", query={"unix_socket": str(self._socket)})

    def start(self, *under: str) -> None:
        """Start, recover if need be, and return when it answers; ``under`` a program like strace."""
        self._is_under = bool(under)
        self._process = subprocess.Popen(
            [
                *under,
                *self._command,
                *self._common(),
                f"--socket={self._socket}",
                f"--port={self.port}",
                "--bind-address=127.0.0.1",
                f"--pid-file={self._folder / 'pid'}",
                f"--log-error={self._folder / 'log.err'}",
                "--skip-log-bin",
                "--innodb-buffer-pool-size=64M",
                "--performance-schema=OFF",
                "--skip-name-resolve",
                "--innodb-flush-log-at-trx-commit=1",
                "--innodb-doublewrite=ON",
                *self.flags(),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + _PATIENCE
        while True:
            if self.answers():
                return
            assert self._process.poll() is None, (self._folder / "log.err").read_text()
            assert time.monotonic() < deadline, "mariadbd does not answer"
            time.sleep(0.02)

    def flags(self) -> list[str]:
        """Return what it is started with besides."""
        return []

    def answers(self) -> bool:
        """Whether it is of use."""
        try:
            self.run("SELECT 1")
        except OperationalError:
            return False
        return True

    @property
    def pid(self) -> int:
        assert self._process is not None
        return only_child(self._process.pid) if self._is_under else self._process.pid

    def kill(self) -> None:
        """End it as a power cut would; :meth:`start` recovers it."""
        if self._process is not None:
            os.kill(self.pid, signal.SIGKILL)
            self._process.wait(_PATIENCE)
            self._process = None

    def stop(self) -> None:
        """End it and remove its folder."""
        self.kill()
        self._reserved.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def run(self, statement: str) -> None:
        """Run one statement as root."""
        with self._root.connect() as connection:
            connection.exec_driver_sql(statement.replace("%", "%%"))

    def _find(self) -> list[str]:
        """Return the command that runs the server."""
        return [program("mariadbd", "mariadb-server"), "--no-defaults"]

    def _install(self) -> None:
        """Make the folder of its data."""
        self._set_up(
            program("mariadb-install-db", "mariadb-server"),
            "--no-defaults",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--innodb-log-file-size=32M",
        )

    def _set_up(self, program: str, *flags: str) -> None:
        if os.getuid() == 0:
            shutil.chown(self._folder, "mysql")
        ended = subprocess.run(
            [program, *flags, *self._common()],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_PATIENCE_AT_FIRST,
            check=False,
        )
        assert ended.returncode == 0, f"{program}:\n{ended.stdout}"

    def _common(self) -> list[str]:
        return [
            f"--datadir={self._folder / 'data'}",
            f"--tmpdir={self._folder}",  # what lies there when one starts it removes, even if it is another one's
            *(["--user=mysql"] if os.getuid() == 0 else []),  # it refuses to run as root
        ]
