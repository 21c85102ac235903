"""Programs of this project that need not load anything any more: each start is a fork of a process that has done so.

To load them takes most of a second of processor time, and tests start hundreds. What comes of it is a process of its
own like any other, a child of this one; :mod:`tests.system.test_start` and others start programs as people do.
"""

from __future__ import annotations

import ctypes
import fcntl
import gc
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

_ROOT = Path(__file__).resolve().parent.parent
_PR_SET_CHILD_SUBREAPER = 36
_READ = {"PYTHONPATH": str(_ROOT), "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": ""}  # by all that tests start
_COUNTED = "COVERAGE_PROCESS_CONFIG"  # is in the environment of a process that counts for the coverage
_MESSAGE = 128 * 1024  # bytes that a request has at most: mostly the environment
# What a program loads in the end beside its own modules, but for the reactor: that opens what processes must not share.
_PACKAGES = {"server": ("server", "storage"), "cli": ("cli",)}
_MODULES = {
    "server": ("twisted.application.app", "sqlalchemy.dialects.mysql.pymysql", "sqlalchemy.dialects.sqlite.pysqlite"),
    "cli": (),
}
_ON_ALL = ("twisted.internet.epollreactor", "twisted.internet.endpoints")


def start(command: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
    """Start ``command`` as :class:`subprocess.Popen` does, by a fork where that gives the same process.

    A terminal that is its standard input becomes the one that controls it if it gets a session of its own.
    """
    program = _program(command)
    env = options.get("env") or os.environ
    if program is None or options.get("pass_fds") or _COUNTED in env or _interpreter(env) != _interpreter(os.environ):
        if options.get("start_new_session"):
            options["preexec_fn"] = _take_terminal
        return subprocess.Popen(command, **options)
    return _Forked(command, executable=program, **options)


def _program(command: Sequence[str]) -> str | None:
    """Return what is to be loaded for ``command``: None where it is no script of ours."""
    if sys.platform != "linux" or len(command) < 2 or command[0] != sys.executable:
        return None
    script = Path(command[1])
    if not script.is_absolute() or _ROOT not in script.parents:
        return None
    return "cli" if "cli" in script.relative_to(_ROOT).parts else "server"


def _interpreter(env: Mapping[str, str]) -> object:
    """Return what of an environment an interpreter reads when it starts."""
    encoding = env.get("LC_ALL") or env.get("LC_CTYPE") or env.get("LANG")
    told = {name: value for name, value in env.items() if name.startswith(("PYTHON", "LD_"))}
    return encoding, told | _READ


def _take_terminal() -> None:
    with suppress(OSError):  # it is none
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class _Forked(subprocess.Popen[Any]):
    """A Popen of which only the start is another one."""

    def _execute_child(self, *given: Any) -> None:
        args, program, _, _, _, cwd, env, _, _, _, stdin, _, _, stdout, _, stderr, _, _, _, _, _, session, *_ = given
        request = {"args": args[1:], "cwd": cwd and str(cwd), "env": dict(env or os.environ), "session": session}
        streams = [own if fd < 0 else fd for own, fd in enumerate((stdin, stdout, stderr))]
        self.pid = _loaded(program).fork(json.dumps(request).encode(), streams)
        self._child_created = True
        self._close_pipe_fds(*given[10:16])  # type: ignore[attr-defined]


@cache
def _loaded(program: str) -> _Loaded:
    return _Loaded(program)


class _Loaded:
    """A process that has loaded a program, as this one sees it."""

    def __init__(self, program: str) -> None:
        # Whoever was forked by a process that has ended is a child of this one.
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self._asked = threading.Lock()
        self._socket, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with other:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.forkserver", program, str(other.fileno())],
                cwd=_ROOT,
                env={**os.environ, **_READ, _COUNTED: ""},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[other.fileno()],
            )

    def fork(self, request: bytes, streams: Sequence[int]) -> int:
        """Have it fork, with these for standard input, output and errors; return the child's pid."""
        with self._asked:
            socket.send_fds(self._socket, [request], streams)
            answer = self._socket.recv(20)
        assert answer, "the process that is to fork has ended"
        return int(answer)


def _load(program: str) -> None:
    for package in map(import_module, _PACKAGES[program]):
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            import_module(module.name)
    for name in (*_MODULES[program], *_ON_ALL):
        import_module(name)
    assert "twisted.internet.reactor" not in sys.modules
    gc.freeze()  # or the first collection would write to, and so copy, all of that


def _until_born(asked: socket.socket) -> None:
    """Fork for each request, and return in the child alone, which is then what was asked for."""
    while True:
        request, streams, _, _ = socket.recv_fds(asked, _MESSAGE, 3)
        if not request:
            os._exit(0)
        reading, writing = os.pipe()
        if (between := os.fork()) == 0:
            between = os.getpid()
            if (pid := os.fork()) == 0:
                while os.getppid() == between:  # then it is the child of who asks
                    time.sleep(0.0005)
                for number, stream in enumerate(streams):
                    os.dup2(stream, number)
                _become(json.loads(request))
                os.closerange(3, max(*streams, reading, writing, asked.detach()) + 1)
                return
            os.write(writing, b"%d" % pid)
            os._exit(0)
        os.waitpid(between, 0)
        for number in (writing, *streams):
            os.close(number)
        with os.fdopen(reading, "rb") as told:
            asked.send(told.read())  # which ends when it has closed its end: it has become what it is to be


def _become(request: dict[str, Any]) -> None:
    """Have all that a new process has of whoever starts it."""
    if request["session"]:
        os.setsid()
        _take_terminal()
    if request["cwd"]:
        os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = request["args"]
    sys.path[0] = str(Path(sys.argv[0]).parent)


if __name__ == "__main__":
    _load(sys.argv[1])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _until_born(socket.socket(fileno=int(sys.argv[2])))
    runpy.run_path(sys.argv[0], run_name="__main__")
