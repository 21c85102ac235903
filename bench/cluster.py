"""Several servers on one MariaDB: how late the others hear of a message, what looking costs, and what they carry.

The delay is from the ``send`` to the ``message``, at a server's own client and at one of another server. Questions are
what the database counts, COMMIT and ROLLBACK among them.
"""

from __future__ import annotations

import argparse
import selectors
import socket
import statistics
import threading
import time
from contextlib import ExitStack, closing

from sqlalchemy import NullPool, create_engine

from tests.mariadb import MariaDB
from tests.plain_client import Crowd, Frame, PlainClient, encode
from tests.processes import ServerProcess

UNANSWERED = 40  # messages that a talker has under way


class Cluster:
    """``count`` servers on a new database."""

    def __init__(self, count: int, stack: ExitStack) -> None:
        database = MariaDB.shared()
        url = database.url(database.create())
        self._engine = create_engine(url, poolclass=NullPool)
        db = url.render_as_string(hide_password=False)
        self.servers = [stack.enter_context(ServerProcess(db=db)) for _ in range(count)]

    def questions(self) -> int:
        """Return how many statements the database has been given."""
        with self._engine.connect() as connection:
            return int(connection.exec_driver_sql("SHOW GLOBAL STATUS LIKE 'Questions'").one()[1])

    def asks(self, seconds: float) -> float:
        """Return how many statements a second it is given, in so many seconds."""
        before = self.questions()
        time.sleep(seconds)
        return (self.questions() - before) / seconds

    def cpu(self) -> float:
        """Return the seconds of processor time that the servers used."""
        return sum(server.cpu() for server in self.servers)


def delays(cluster: Cluster, rate: float, seconds: float) -> tuple[list[list[float]], float, float]:
    """Talk at the first server; return the delays at each in seconds, statements a second, CPU a second."""
    heard: list[list[float]] = [[] for _ in cluster.servers]

    def listener(number: int) -> PlainClient:
        def took(frame: Frame) -> None:
            if frame.type == "message":
                heard[number].append(time.monotonic() - float(frame.text))

        return PlainClient.connect(cluster.servers[number].address, took=took)

    clients = [listener(number) for number in range(len(cluster.servers))]
    crowd = Crowd(clients)
    for number, client in enumerate(clients):
        client.ask_login(f"listener{number}", rooms={"talk": None}, history=0)
    crowd.run(lambda: all(client.spans for client in clients))
    began, questions, cpu = time.monotonic(), cluster.questions(), cluster.cpu()
    talking = threading.Thread(target=_talk, args=(cluster.servers[0], rate, seconds))
    talking.start()
    crowd.run(lambda: all(len(each) >= int(rate * seconds) for each in heard), timeout=2 * seconds + 20)
    talking.join()
    took = time.monotonic() - began
    found = heard, (cluster.questions() - questions) / took, (cluster.cpu() - cpu) / took
    crowd.close()
    return found


def _talk(server: ServerProcess, rate: float, seconds: float) -> None:
    """Say so many messages a second, each the time at which it is said."""
    with closing(server.connect()) as client:
        client.login("talker", rooms={"talk": None}, history=0)
        began = time.monotonic()
        for number in range(int(rate * seconds)):
            time.sleep(max(0.0, began + number / rate - time.monotonic()))
            client.send(str(time.monotonic()), "talk")
            client.pump(0)
        client.read("ack", seq=client.seq)


class Talker:
    """Says messages in a room of its own as fast as they are acknowledged; it counts, and reads nothing else."""

    def __init__(self, server: ServerProcess, number: int) -> None:
        assert not isinstance(server.address, str)
        self.socket = socket.create_connection(server.address)
        room = f"room{number}"
        self.socket.sendall(encode("login", user=f"talker{number}", client=f"{number}", rooms={room: None}, history=0))
        while b'"welcome"' not in self.socket.recv(4096):
            pass
        self.socket.setblocking(False)
        self._room = room
        self._said = self.acked = 0
        self._outgoing = b""
        self.talk()

    def read(self) -> None:
        """Count what was acknowledged, and say more."""
        self.acked += self.socket.recv(256 * 1024).count(b'"type":"ack"')
        self.talk()

    def talk(self) -> None:
        """Say what may be under way."""
        while self._said - self.acked < UNANSWERED:
            self._said += 1
            self._outgoing += encode("send", b"x" * 100, seq=self._said, room=self._room)
        self._outgoing = self._outgoing[self.socket.send(self._outgoing) :] if self._outgoing else b""


def carried(cluster: Cluster, seconds: float, talkers: int) -> float:
    """Return how many messages a second are stored that so many talkers say, spread over the servers."""
    count = len(cluster.servers)
    crowd = [Talker(cluster.servers[number % count], number) for number in range(talkers)]
    with selectors.DefaultSelector() as selector:
        for talker in crowd:
            selector.register(talker.socket, selectors.EVENT_READ, talker)
        _serve(selector, seconds / 4)
        before, began = sum(talker.acked for talker in crowd), time.monotonic()
        _serve(selector, seconds)
        rate = (sum(talker.acked for talker in crowd) - before) / (time.monotonic() - began)
    for talker in crowd:
        talker.socket.close()
    return rate


def _serve(selector: selectors.BaseSelector, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for key, _ in selector.select(0.1):
            key.data.read()


def main() -> None:
    """Measure one, two and three servers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rate", type=float, default=100)
    arguments = parser.parse_args()
    for count in (1, 2, 3):
        with ExitStack() as stack:
            cluster = Cluster(count, stack)
            time.sleep(2)
            cpu = cluster.cpu()
            idle = cluster.asks(3)
            print(
                f"{count} servers, idle: {idle:.0f} statements/s, {(cluster.cpu() - cpu) / 3:.1%} of a core", flush=True
            )
            heard, statements, cpu = delays(cluster, arguments.rate, arguments.seconds)
            for number, each in enumerate(heard):
                times = sorted(1000 * delay for delay in each)
                p50, p99 = statistics.median(times), times[int(len(times) * 0.99)]
                where = "own" if number == 0 else "other"
                print(
                    f"    {arguments.rate:.0f}/s, {where} server: p50 {p50:.1f}, p99 {p99:.1f}, most {times[-1]:.1f} ms"
                )
            print(f"    meanwhile {statements:.0f} statements/s, {cpu:.0%} of a core", flush=True)
            cpu, began = cluster.cpu(), time.monotonic()
            rate = carried(cluster, arguments.seconds, 30)
            cpu = (cluster.cpu() - cpu) / (time.monotonic() - began)
            print(f"    carried: {rate:,.0f} messages/s, {cpu:.0%} of a core", flush=True)


if __name__ == "__main__":
    main()
