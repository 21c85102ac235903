"""Several servers on one MariaDB: how late the others hear of a message, what looking costs, and what they carry.

The delay is from the ``send`` to the ``message``, at a server's own client and at one of another server. Questions are
what the database counts, COMMIT and ROLLBACK among them.
"""

from __future__ import annotations

import argparse
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
    """Says messages in a room of its own as fast as they are acknowledged."""

    def __init__(self, server: ServerProcess, number: int) -> None:
        self.client = PlainClient.connect(server.address, took=self._took)
        self._room = f"room{number % 10}"
        self.client.ask_login(f"talker{number}", client=f"{number}", rooms={self._room: None}, history=0)
        self.acked = 0
        self._said = 0

    def _took(self, frame: Frame) -> None:
        if frame.type in ("welcome", "ack"):
            self.acked += frame.type == "ack"
            self.talk()

    def talk(self) -> None:
        """Say what may be under way."""
        while self._said - self.acked < UNANSWERED:
            self._said += 1
            self.client.write(encode("send", b"x" * 100, seq=self._said, room=self._room))


def carried(cluster: Cluster, seconds: float, talkers: int) -> float:
    """Return how many messages a second are stored that so many talkers say, spread over the servers."""
    count = len(cluster.servers)
    crowd = [Talker(cluster.servers[number % count], number) for number in range(talkers)]
    running = Crowd([talker.client for talker in crowd])
    _run_for(running, seconds / 4)
    before, began = sum(talker.acked for talker in crowd), time.monotonic()
    _run_for(running, seconds)
    rate = (sum(talker.acked for talker in crowd) - before) / (time.monotonic() - began)
    running.close()
    return rate


def _run_for(crowd: Crowd, seconds: float) -> None:
    end = time.monotonic() + seconds
    crowd.run(lambda: time.monotonic() >= end, timeout=seconds + 20)


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
            print(f"    carried: {carried(cluster, arguments.seconds, 30):,.0f} messages/s", flush=True)


if __name__ == "__main__":
    main()
