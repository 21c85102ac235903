"""The terminal interface, in a terminal of its own (a pty) with a real server: how soon, how fast, how large.

A room is talked in at a given rate until so many messages are there; meanwhile somebody types, and afterwards turns
pages back. The same is asked of WeeChat on an IRC server, ngircd, where both are installed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import NamedTuple

from tests.processes import ServerProcess
from tests.terminal import Terminal
from wire.frames import Login, Send, encode

STARTS = 5  # of which the median is told
PAGES = 100  # turned back
HISTORY = 200  # messages that are there at the start
READ = 256 * 1024  # bytes
PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])


class Watched(Terminal):
    """A program whose output is looked through, not shown: pyte would take more time than the program."""

    def _feed(self, data: bytes) -> None:
        self.output = self.output[-READ:] + data

    def seconds_until(self, came: Callable[[bytes], bool], keys: str = "") -> float:
        """Press ``keys`` and return how long it takes until ``came`` is true of what is written from then on."""
        self.output = b""
        began = time.perf_counter()
        if keys:
            self.type(keys)
        self.wait_for(lambda: came(self.output))
        return time.perf_counter() - began

    def read_for(self, seconds: float) -> None:
        """Let it run, and read what it writes."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._read(left)

    def cpu(self) -> float:
        """Seconds of processor time so far."""
        return int(Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[0]) / 1e9

    def megabytes(self) -> float:
        """Resident memory, in MiB."""
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{self.process.pid}/status").read_text())
        assert found is not None
        return int(found[1]) / 1024


class Speaker(NamedTuple):
    """How one talks to a server: how a line is said, the how manieth of its connection it is, and how one begins."""

    say: Callable[[bytes, int], bytes]
    hello: bytes
    let_in: bytes

    def pour(self, port: int, first: int, number: int, rate: float) -> None:
        """Say ``number`` lines from the ``first`` on, ``rate`` a second, and go when all of them are answered."""
        with socket.create_connection(("127.0.0.1", port)) as peer:
            peer.sendall(self.hello)
            greeting = b""
            while self.let_in not in greeting:
                greeting += peer.recv(READ)
            began, said = time.monotonic(), 0
            while said < number:
                due = min(number, int((time.monotonic() - began) * rate) + 1)
                peer.settimeout(None)
                peer.sendall(b"".join(self.say(line(first + which), which + 1) for which in range(said, due)))
                said = due
                self._read(peer, 0.01)
            self._read(peer, 1)

    def _read(self, peer: socket.socket, quiet: float) -> None:
        peer.settimeout(quiet)
        with suppress(TimeoutError):
            while peer.recv(READ):
                pass


CHAT = Speaker(lambda text, number: encode(Send(number), text), encode(Login("bob")), b'"welcome"')
IRC = Speaker(
    lambda text, _: b"PRIVMSG #lobby :%s\r\n" % text, b"NICK bob\r\nUSER bob 0 * :bob\r\nJOIN #lobby\r\n", b" 366 "
)


def line(number: int) -> bytes:
    """Return what is said as the ``number``th."""
    return b"line %07d words that say nothing but are as many as people say at once" % number


class Measured:
    """A program that shows what is said in a room, started by ``command``; its server listens on ``port``."""

    def __init__(self, command: Sequence[str], env: dict[str, str], port: int, speaker: Speaker, there: bytes) -> None:
        self._command = command
        self._env = env
        self._port = port
        self._speaker = speaker
        self._there = there  # what it shows when it is in the room

    def measure(self, messages: int, rate: float, idle: float) -> None:
        """Print its figures."""
        self._speaker.pour(self._port, 0, HISTORY, 1e6)
        starts = [self._start() for _ in range(STARTS)]
        took, cpu = (1000 * statistics.median(one[which] for one in starts) for which in (0, 1))
        print(f"  start to {self._there.decode()!r} on the screen: {took:.0f} ms, {cpu:.0f} ms of processor time")
        with Watched(self._command, env=self._env) as terminal:
            terminal.seconds_until(lambda output: self._there in output)
            terminal.read_for(3)
            print(f"  memory with nothing said: {terminal.megabytes():.0f} MiB")
            cpu = terminal.cpu()
            terminal.read_for(idle)
            print(f"  idle: {100 * (terminal.cpu() - cpu) / idle:.3f} % of a core")
            self._flood(terminal, messages, rate)
            terminal.read_for(2)
            print(f"  memory with {messages} messages said: {terminal.megabytes():.0f} MiB")
            print(f"  a page back: {quantiles(turned(terminal))}", flush=True)

    def _start(self) -> tuple[float, float]:
        with Watched(self._command, env=self._env) as terminal:
            return terminal.seconds_until(lambda output: self._there in output), terminal.cpu()

    def _flood(self, terminal: Watched, messages: int, rate: float) -> None:
        flood = multiprocessing.Process(target=self._speaker.pour, args=(self._port, HISTORY, messages, rate))
        flood.start()
        began, cpu = time.monotonic(), terminal.cpu()
        echo = quantiles(typed(terminal, flood.is_alive))
        took = time.monotonic() - began
        share = 100 * (terminal.cpu() - cpu) / took
        print(f"  {messages / took:.0f} messages a second for {took:.0f} s: {share:.0f} % of a core, key echo {echo}")


def typed(terminal: Watched, goes_on: Callable[[], bool]) -> Iterator[float]:
    """Type a letter after the other while others talk; gives the seconds until each stands in the input."""
    for number in count(1):
        if not goes_on():
            break
        letter = "QW"[number % 2]  # nobody says it, and no sequence for a terminal has it
        yield terminal.seconds_until(lambda output, letter=letter: letter.encode() in output, letter)  # type: ignore[misc]
        terminal.read_for(0.037)
        if number % 40 == 0:
            terminal.type("\x7f" * 40)
            terminal.read_for(0.1)


def turned(terminal: Watched) -> Iterator[float]:
    """Turn pages back; gives the seconds until each is there: what changes nothing writes nothing."""
    for _ in range(PAGES):
        yield terminal.seconds_until(lambda output: output != b"", "\x1b[5~")
        terminal.read_for(0.05)


def quantiles(seconds: Iterator[float]) -> str:
    """Return the median and the worst of a hundred, in milliseconds."""
    cuts = statistics.quantiles(seconds, n=100)
    return f"p50 {1000 * cuts[49]:.1f} ms, p99 {1000 * cuts[98]:.1f} ms"


@contextmanager
def ngircd(folder: Path) -> Iterator[int]:
    """Run an IRC server that lets one talk as fast as one likes; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = folder / "ngircd.conf"
    settings.write_text(
        f"[Global]\nName = irc.bench\nInfo = bench\nListen = 127.0.0.1\nPorts = {port}\n"
        "[Limits]\nMaxPenaltyTime = 0\n[Options]\nDNS = no\nIdent = no\nPAM = no\n"
    )
    command = [str(shutil.which("ngircd", path=PATH)), "-n", "-f", str(settings)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(100):
                with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
                time.sleep(0.05)
            yield port
        finally:
            process.terminate()


def chat(options: argparse.Namespace) -> None:
    """Measure ours."""
    with tempfile.TemporaryDirectory(prefix="chat-") as home, ServerProcess() as server:
        env = {"HOME": home, "XDG_CONFIG_HOME": home, "XDG_STATE_HOME": home}
        # As people start it: what the tests start from cmd/ has been loaded before.
        command = [str(Path(sys.executable).with_name("chat")), "ann", "--port", str(server.port)]
        last = line(HISTORY - 1)[:12]
        Measured(command, env, server.port, CHAT, last).measure(options.messages, options.rate, options.idle)


def weechat(options: argparse.Namespace) -> None:
    """Measure WeeChat, with as many lines kept."""
    setup = (
        "/set weechat.history.max_buffer_lines_number 0;/set weechat.history.max_buffer_lines_minutes 0;"
        "/set logger.file.auto_log off;/server add bench 127.0.0.1/{port} -notls;"
        "/set irc.server.bench.autojoin #lobby;/connect bench"
    )
    with tempfile.TemporaryDirectory(prefix="chat-") as folder, ngircd(Path(folder)) as port:
        command = ["weechat", "--dir", f"{folder}/weechat", "--run-command", setup.format(port=port)]
        Measured(command, {"HOME": folder}, port, IRC, b"lobby").measure(options.messages, options.rate, options.idle)


def main() -> None:
    """Measure once and print the figures."""
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    flags.add_argument("--messages", type=int, default=100_000, help="how many are said while somebody types")
    flags.add_argument("--rate", type=float, default=5000, help="of them a second")
    flags.add_argument("--idle", type=float, default=30, help="seconds without anything")
    options = flags.parse_args()
    print("chat:")
    chat(options)
    missing = [name for name in ("weechat", "ngircd") if shutil.which(name, path=PATH) is None]
    if missing:
        print(f"WeeChat is not measured, for want of {' and '.join(missing)}: apt-get install weechat-curses ngircd")
    else:
        print("WeeChat:")
        weechat(options)


if __name__ == "__main__":
    main()
