"""A real server for tests: a process of its own, on a free port, with a database of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from socket import SO_REUSEADDR, SOL_SOCKET, AddressFamily, socket
from types import TracebackType
from typing import Self

from tests import forkserver
from tests.plain_client import Address, PlainClient

ROOT = Path(__file__).resolve().parent.parent
SERVER = (sys.executable, str(ROOT / "cmd" / "server"))
TWISTD = (sys.executable, "-c", "from twisted.scripts.twistd import run; run()", "-n", "--pidfile=", "chat")
# What systemd does before it starts a service with a socket: descriptor 3, and three variables.
_HAND_OVER = (
    sys.executable,
    "-c",
    "import os, sys; os.dup2(int(sys.argv[1]), 3);"
    "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1', LISTEN_FDNAMES='chat');"
    "os.execv(sys.argv[2], sys.argv[2:])",
)

_LISTENING = re.compile(r"listening on (?:(?P<path>/[^\s\"]+)|(?P<host>[\w.]+|\[[\w:.]+\]):(?P<port>\d+))")
_START = 20  # seconds until a server must serve
_END = 20  # seconds until one that was told to end must have ended


def environment() -> dict[str, str]:
    """Return this process's environment, made so that the project is found from any folder, and compiled once.

    What is run in it does not count for the coverage: each start would take two thirds as long again.
    """
    counted = counted_environment()
    counted.pop("COVERAGE_PROCESS_CONFIG", None)
    return counted


def counted_environment() -> dict[str, str]:
    """Return the same, for processes that count."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": ""}


def loaded(code: str) -> set[str]:
    """Return the names of the modules that a process has loaded once it has run ``code``."""
    code = f"import sys\n{code}\nprint(*sys.modules)"
    return set(subprocess.check_output([sys.executable, "-c", code], env=environment(), cwd=ROOT, text=True).split())


def reserved() -> socket:
    """Return a socket that holds a free port of the loopback, for a program that will listen there.

    Programs that set SO_REUSEADDR get it, for we do not listen; nobody is given it by chance, nor connects from it.
    """
    holder = socket()
    holder.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    return holder


def unread(command: Sequence[str]) -> tuple[int, str]:
    """Run ``command`` with an output that nobody reads any more; return its status and what it says of that."""
    reads, writes = os.pipe()
    os.close(reads)
    try:
        variables = {**environment(), "PYTHONUNBUFFERED": ""}
        ended = subprocess.run(command, stdout=writes, stderr=subprocess.PIPE, env=variables, text=True)
    finally:
        os.close(writes)
    return ended.returncode, ended.stderr


def on_a_full_disk(command: Sequence[str]) -> tuple[int, str]:
    """Run ``command`` with an output that takes nothing; return its status and what it says of that."""
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, env=environment(), text=True)
    return ended.returncode, ended.stderr


def only_child(pid: int) -> int:
    """Return the one process that ``pid`` has started."""
    [child] = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(child)


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Have a child of this process do nothing for a while.

    All its threads stand still within: a signal that was only sent lets one that has just been asked answer.
    """
    os.kill(pid, signal.SIGSTOP)
    os.waitid(os.P_PID, pid, os.WSTOPPED)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def memory(pid: int, line: str = "VmRSS") -> int:
    """Return the bytes of a process that are resident now, or at most since its start: ``VmHWM``."""
    found = re.search(rf"^{line}:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024


class ServerProcess:
    """``with ServerProcess("--grace", "1") as server: ...``; it may be ended and started again, on the same port.

    ``db`` is a database URL; left out, an SQLite file in a folder that goes with the server. ``listen`` may be
    empty: then the flags say where. ``variables`` are added to
    its environment, and it inherits the open ``files``.
    """

    def __init__(
        self,
        *flags: str,
        db: str | None = None,
        command: Sequence[str] = SERVER,
        listen: str = "tcp:0:interface=127.0.0.1",
        variables: Mapping[str, str] | None = None,
        files: Sequence[int] = (),
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="chat-")
        self.folder = Path(self._folder.name)
        self.db = db or f"sqlite:///{self.folder / 'chat.db'}"
        self.log: list[str] = []
        self._command = (*command, *flags, "--db", self.db)
        self._listen = listen
        self._environment = {**environment(), **(variables or {})}
        self._files = files
        self._address: Address | None = None
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._told = threading.Event()  # it listens, or it has ended

    @classmethod
    def behind(cls, held: socket, *flags: str, db: str | None = None) -> Self:
        """Return a server that is handed a socket which listens already, as systemd does it."""
        number = held.fileno()
        domain = AddressFamily(held.family).name.removeprefix("AF_")
        return cls(
            *flags,
            db=db,
            command=(*_HAND_OVER, str(number), *SERVER),
            listen=f"systemd:domain={domain}:name=chat",
            files=[number],
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def address(self) -> Address:
        assert self._address is not None, "not started"
        return self._address

    @property
    def port(self) -> int:
        assert not isinstance(self.address, str), "not on TCP"
        return self.address[1]

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    @property
    def status(self) -> int | None:
        """The exit status, None while it runs."""
        return None if self._process is None else self._process.poll()

    def start(self) -> None:
        """Start it and return when it serves; raises AssertionError with its log where it does not."""
        self._told.clear()
        self._process = forkserver.start(
            [*self._command, *(("--listen", self._listen) if self._listen else ())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.folder,
            env=self._environment,
            pass_fds=self._files,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read_log, args=(self._process,), daemon=True)
        self._reader.start()
        self._told.wait(_START)
        if self._address is None or self.status is not None:
            self.kill()
            raise AssertionError("the server does not serve:\n" + "\n".join(self.log))

    def _read_log(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.log.append(line.rstrip("\n"))
            if not self._told.is_set() and (found := _LISTENING.search(line)):
                self._address = found["path"] or (found["host"], int(found["port"]))
                if found["port"] and "tcp:0:" in self._listen:
                    self._listen = self._listen.replace("tcp:0:", f"tcp:{found['port']}:")
                self._told.set()
        self._told.set()

    def connect(self, receive_buffer: int | None = None) -> PlainClient:
        return PlainClient.connect(self.address, receive_buffer=receive_buffer)

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self, timeout: float = _END) -> int:
        """Wait for its end and return the exit status; raises subprocess.TimeoutExpired."""
        assert self._process is not None
        assert self._reader is not None
        status = self._process.wait(timeout)
        self._reader.join(timeout)
        return status

    def terminate(self) -> int:
        """End it as an operator does and return the exit status."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """End it as a crash does."""
        if self._process is not None and self._process.poll() is None:
            self.signal(signal.SIGKILL)
            self.wait()

    def close(self) -> None:
        """End it for good; its folder goes too."""
        self.kill()
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()
        self._folder.cleanup()

    # What it costs.

    def memory(self) -> int:
        """Bytes resident now."""
        return memory(self.pid)

    def peak_memory(self) -> int:
        """Bytes resident at most since the start, or since :meth:`forget_peak`."""
        return memory(self.pid, "VmHWM")

    def forget_peak(self) -> None:
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def cpu(self) -> float:
        """Seconds of processor time used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
