"""``make run``: a server, and a client in this terminal. Where there is no terminal, a short talk to look at."""

from __future__ import annotations

import argparse
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SERVER = [sys.executable, str(ROOT / "cmd" / "server")]
CLIENT = [sys.executable, str(ROOT / "cmd" / "cli")]
PATIENCE = 30  # seconds for anything to happen


def is_chat(port: int) -> bool | None:
    """Tell whether a chat server answers on ``port`` of this machine; None where nobody listens."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as peer:
            peer.sendall(b'15:{"type":"ping"},')
            return b'"pong"' in peer.recv(100)
    except ConnectionRefusedError:
        return None
    except OSError:
        return False


@contextmanager
def server(port: int, db: str | None, folder: Path) -> Iterator[int]:
    """Run a server (``port`` 0: on any free one) with its log in ``folder``; gives its port."""
    log = folder / "server.log"
    command = [*SERVER, "--listen", f"tcp:{port}:interface=127.0.0.1", *(["--db", db] if db else [])]
    with log.open("w") as out:
        # A session of its own, so that Ctrl-C in this terminal is the client's alone.
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out, start_new_session=True)
    try:
        yield listening(process, log)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def listening(process: subprocess.Popen[bytes], log: Path) -> int:
    """Return the server's port, once it listens."""
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up and process.poll() is None:
        if found := re.search(r"listening on 127\.0\.0\.1:(\d+)", log.read_text()):
            return int(found[1])
        time.sleep(0.05)
    sys.exit(f"the server did not start:\n{log.read_text()}")


def talk(name: str, port: int) -> int:
    """Open ``name``'s client in this terminal, on the server that runs or on a new one."""
    running = is_chat(port)
    if running:
        print(f"A server runs already on port {port}.")
        return client(name, port)
    state = ROOT / ".state"
    state.mkdir(exist_ok=True)
    new = not (ROOT / "chat.db").exists()
    with server(port if running is None else 0, None, state) as port:
        if new:
            greet(port)
        return client(name, port)


def how_to_join(port: int) -> str:
    """Return the command of the second person."""
    return "make join NAME=bob" + (f" PORT={port}" if port != 7777 else "")


def client(name: str, port: int) -> int:
    """Open ``name``'s client in this terminal until it ends; gives its exit status."""
    print(f"A second person joins from another terminal with: {how_to_join(port)}", flush=True)
    signal.signal(signal.SIGINT, lambda *_: None)  # it is for the client
    return subprocess.call([*CLIENT, "--user", name, "--port", str(port)])


def greet(port: int) -> None:
    """Leave a line in the new lobby, for it is seen where this terminal's own lines are covered."""
    with tempfile.TemporaryDirectory(prefix="chat-") as home, Person("host", port, Path(home)) as host:
        host.say(f"Welcome! A second person joins from another terminal with: {how_to_join(port)}")


class Person:
    """``chat NAME`` as a filter: what is said goes in as lines, what is heard comes out as lines."""

    def __init__(self, name: str, port: int, home: Path, *flags: str) -> None:
        self.name = name
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._process = subprocess.Popen(
            [*CLIENT, "--user", name, "--port", str(port), *flags],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "XDG_CONFIG_HOME": str(home)},
            encoding="utf-8",
        )
        self._ear = threading.Thread(target=self._listen, daemon=True)
        self._ear.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.rstrip("\n"))

    def __enter__(self) -> Person:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        if status := self._process.wait(PATIENCE):
            sys.exit(f"{self.name}'s client ended with status {status}")

    def say(self, text: str) -> None:
        """Say one line."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{text}\n")
        self._process.stdin.flush()

    def hear(self) -> str:
        """Return the next line that comes out."""
        try:
            return self._lines.get(timeout=PATIENCE)
        except queue.Empty:
            sys.exit(f"{self.name} heard nothing for {PATIENCE} seconds")


def show() -> int:
    """Let ann and bob talk through a server of their own, and print what each of them sees."""

    def said(speaker: Person, text: str, *audience: Person) -> None:
        speaker.say(text)
        print(f"\n{speaker.name} types:   {text}")
        for person in audience:
            seen(person)

    def seen(person: Person) -> None:
        print(f"    {person.name} sees:  {person.hear()}", flush=True)

    with tempfile.TemporaryDirectory(prefix="chat-") as folder:
        home = Path(folder)
        with server(0, f"sqlite:///{home}/chat.db", home) as port:
            print(f"There is no terminal here, so this is a talk by script, on a server on port {port}.")
            with Person("ann", port, home) as ann:
                said(ann, "Hello! Is anybody here?", ann)
                with Person("bob", port, home, "--history", "10") as bob:
                    print("\nbob comes, and is given what was said before:")
                    seen(bob)
                    said(bob, "Now there are two of us.", ann, bob)
                    said(
                        ann,
                        "And everyone sees the same, in the same order: \u00e4\u00f6\u00fc \u4f60\u597d \U0001f600",
                        ann,
                        bob,
                    )
                    said(bob, "/me waves", ann, bob)
            with Person("carol", port, home, "--history", "10") as carol:
                print("\nboth have gone; carol comes later:")
                for _ in range(4):
                    seen(carol)
    print("\nIn a terminal, `make run` opens the client instead.")
    return 0


def main() -> int:
    """Return the exit status."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=7777)
    options.add_argument("name")
    given = options.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))  # the server is ended all the same
    if sys.stdin.isatty() and sys.stdout.isatty():
        return talk(given.name, given.port)
    return show()


if __name__ == "__main__":
    sys.exit(main())
