"""A restart under a talk: what the longest silence was that each client heard, and that nothing was lost.

The server's socket is held meanwhile, as systemd holds it; the clients are ``cli.Client``, which come back by
themselves. Some of them talk all the time, whatever happens to the server.
"""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import chain
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import LoopingCall, deferLater, react

from cli import Client, ClientClosed
from server.sockets import raise_file_limit
from tests.mariadb import MariaDB
from tests.processes import ServerProcess, environment

PROCESSES = 2  # of clients: one could not read it all
TALKERS = 50  # in each process
AT_ONCE = 50  # logins under way in each process


class Listener:
    """One client, and how long it heard nothing."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.longest = 0.0  # seconds
        self.last = 0  # id
        self.wrong = 0  # messages that were not the next one
        self._heard_at = time.monotonic()

    async def listen(self) -> None:
        """Read until the client ends."""
        while message := await self.client.read_msg():
            now = time.monotonic()
            if self.last:
                self.longest = max(self.longest, now - self._heard_at)
                self.wrong += message.id != self.last + 1
            self.last, self._heard_at = message.id, now


async def crowd(reactor: Any, name: str, port: int, count: int, rate: float) -> None:
    """Be ``count`` clients, of which some talk, until standard input ends; print what they heard."""
    listeners: list[Listener] = []
    for first in range(0, count, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, count))
        clients = await gatherResults([Client.new(f"{name}{number}", port=port, history=0) for number in numbers])
        listeners += map(Listener, clients)
    for listener in listeners:
        Deferred.fromCoroutine(listener.listen()).addErrback(lambda ended: ended.trap(ClientClosed))
    print(json.dumps("ready"), flush=True)
    sys.stdin.readline()
    talkers, said = listeners[:TALKERS], 0

    def say() -> None:
        nonlocal said
        talkers[said % len(talkers)].client.send_msg(f"message {said}")
        said += 1

    talk = LoopingCall(say)
    talking = talk.start(1 / rate)
    ended: Deferred[None] = Deferred()
    reactor.callInThread(lambda: (sys.stdin.readline(), reactor.callFromThread(ended.callback, None)))
    await ended
    talk.stop()
    await talking
    while any(listener.client.check_status().unsent for listener in talkers):
        await deferLater(reactor, 0.1)
    await deferLater(reactor, 1.0)  # the last one is on its way to all
    heard = {"longest": [listener.longest for listener in listeners], "last": [listener.last for listener in listeners]}
    print(json.dumps({**heard, "said": said, "wrong": sum(listener.wrong for listener in listeners)}), flush=True)


class Crowd:
    """A process of clients."""

    def __init__(self, name: str, port: int, count: int, rate: float) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--crowd", name, str(port), str(count), str(rate)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
            text=True,
        )

    def next(self) -> Any:
        """Return what it says next."""
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def go_on(self) -> None:
        """Let it begin to talk, and end."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()


def measure(restart: Iterable[None], held: socket.socket, options: argparse.Namespace) -> None:
    """Let a crowd talk; ``restart`` starts a server and, each time it is asked again, puts a new one in its place."""
    restarts = iter(restart)
    next(restarts)
    port = held.getsockname()[1]
    crowds = [Crowd(name, port, options.clients // PROCESSES, options.rate / PROCESSES) for name in "ab"[:PROCESSES]]
    for crowd in crowds:
        crowd.next()
    for crowd in crowds:
        crowd.go_on()
    for _ in range(options.restarts):
        time.sleep(options.seconds)
        next(restarts)
    time.sleep(options.seconds)
    for crowd in crowds:
        crowd.go_on()
    tell([crowd.next() for crowd in crowds])


def one_after_the_other(held: socket.socket) -> Iterator[None]:
    """Serve on SQLite: the next server begins when the last one has ended."""
    with ServerProcess.behind(held) as server:
        yield
        while True:
            began = time.monotonic()
            server.terminate()
            ended = time.monotonic()
            server.start()
            print(f"down after {ended - began:.2f} s, serving {time.monotonic() - ended:.2f} s later", flush=True)
            yield


def one_beside_the_other(held: socket.socket) -> Iterator[None]:
    """Serve on MariaDB: the next server serves before the last one is told to end."""
    database = MariaDB.shared()
    db = database.url(database.create()).render_as_string(hide_password=False)
    one, other = (ServerProcess.behind(held, db=db) for _ in range(2))
    with closing(one), closing(other):
        one.start()
        yield
        while True:
            other.start()
            began = time.monotonic()
            one.terminate()
            print(f"down after {time.monotonic() - began:.2f} s, another one served before", flush=True)
            one, other = other, one
            yield


def tell(heard: list[dict[str, Any]]) -> None:
    """Print the silences, and what was lost."""
    silences = sorted(chain.from_iterable(it["longest"] for it in heard))
    last = list(chain.from_iterable(it["last"] for it in heard))
    said = sum(it["said"] for it in heard)
    middle, most = silences[len(silences) // 2], silences[-1]
    print(f"the longest silence of each of {len(silences)} clients: {middle:.2f} s in the middle, {most:.2f} s at most")
    wrong = sum(it["wrong"] for it in heard)
    print(f"{said} messages said, {min(last)} to {max(last)} heard by each, {wrong} out of turn")
    if not wrong and min(last) == max(last) == said:
        return
    raise SystemExit("not everybody heard everything once")


def main() -> None:
    """Run what the flags say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=50, help="messages a second [50]")
    parser.add_argument("--seconds", type=float, default=8, help="of talk before and after each restart [8]")
    parser.add_argument("--restarts", type=int, default=3)
    parser.add_argument(
        "--mariadb", action="store_true", help="on a MariaDB: the new server serves before the old ends"
    )
    parser.add_argument("--crowd", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    raise_file_limit()
    if options.crowd:
        name, port, count, rate = options.crowd
        react(lambda reactor: Deferred.fromCoroutine(crowd(reactor, name, int(port), int(count), float(rate))))
    else:
        with socket.create_server(("127.0.0.1", 0), backlog=4096) as held:
            measure(one_beside_the_other(held) if options.mariadb else one_after_the_other(held), held, options)


if __name__ == "__main__":
    main()
