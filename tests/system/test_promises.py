"""What the chat promises, each with real processes, real sockets and the numbers that it is promised with."""

from __future__ import annotations

import signal
import time
from collections import deque
from contextlib import closing
from functools import partial
from itertools import pairwise
from unittest import TestCase

from tests.plain_client import Crowd, Frame, PlainClient
from tests.processes import ServerProcess

MIB = 1024 * 1024


class Reader:
    """Somebody who reads as fast as it comes and notes when."""

    def __init__(self, server: ServerProcess, user: str) -> None:
        self.client = PlainClient.connect(server.address, took=self.take)
        self.client.ask_login(user, rooms={"lobby": 0})
        self.here = False
        self.times: list[float] = []

    def take(self, frame: Frame) -> None:
        if frame.type == "welcome":
            self.here = True
        elif frame.type == "message":
            assert len(frame.body) == 20_000, frame.header
            self.times.append(time.monotonic())

    def longest_wait(self) -> float:
        """Seconds between two messages, at most."""
        return max(after - before for before, after in pairwise(self.times))


class SlowClient(TestCase):
    """One that has read less than 1 MiB of 30, while 20 others get 1,500 messages of 20 kB.

    There are four such here: a queue for each of them would show in the memory beyond doubt.
    """

    def test_it_blocks_nobody_and_loses_nothing(self) -> None:
        texts = [f"{number} ".ljust(20_000, "x") for number in range(1, 1_501)]
        with ServerProcess() as server, closing(Crowd()) as crowd:
            slow = [server.connect(receive_buffer=64 * 1024) for _ in range(4)]
            for number, client in enumerate(slow):
                self.addCleanup(client.close)
                client.login(f"slow{number}", rooms={"lobby": 0})
            others = [Reader(server, f"reader{number}") for number in range(20)]
            for other in others:
                crowd.add(other.client)
            crowd.run(lambda: all(other.here for other in others))
            server.forget_peak()
            before = server.memory()

            for count, text in enumerate(texts, 1):
                others[0].client.send(text)
                if count >= 1_400:  # so many as fast as they go, the rest one by one
                    crowd.run(partial(self.all_have, count, others, slow))
            self.assertLess(max(client.bytes_read for client in slow), MIB)
            self.assertLess(max(other.longest_wait() for other in others), 2)
            self.assertLess(server.peak_memory() - before, 48 * MIB)

            for client in slow:
                self.assertEqual([message.text for message in client.read_messages("lobby", 1_500)], texts)
            self.assertLess(server.peak_memory() - before, 48 * MIB)
            self.assertNotIn("Traceback", "\n".join(server.log))

    def all_have(self, count: int, others: list[Reader], slow: list[PlainClient]) -> bool:
        """Whether the others have so many messages; the slow ones read a little, as on a bad line."""
        for client in slow:
            if client.bytes_read < MIB - 2_048:
                client.receive(512)
        return all(len(other.times) == count for other in others)


class ShutdownNotice(TestCase):
    """300 clients with unread traffic, one of them stuck: all 300 get ``bye``."""

    GRACE = 300.0  # seconds: only who is waited for, or waits, ever sees the end of it

    def test_everyone_gets_it(self) -> None:
        with ServerProcess("--grace", f"{self.GRACE}") as server, closing(Crowd()) as crowd:
            last: list[deque[Frame]] = [deque(maxlen=1) for _ in range(300)]
            clients = [PlainClient.connect(server.address, frame.append, receive_buffer=16 * 1024) for frame in last]
            for number, client in enumerate(clients):
                client.ask_login(f"user{number}")
                crowd.add(client)
            crowd.run(lambda: all(client.spans for client in clients))
            self.leave_unread(server, 100)
            read_before = sum(client.bytes_read for client in clients)

            stuck, *others = clients
            crowd.remove(stuck)
            server.signal(signal.SIGTERM)
            crowd.run(lambda: all(client.ended for client in others), timeout=self.GRACE / 3)
            while not stuck.ended:  # it has its own still to come: the others' did not wait for that
                self.assertTrue(stuck.pump(self.GRACE / 3))
            stuck.close()
            self.assertEqual(server.wait(self.GRACE / 6), 0)  # nobody is there any more, so it ends

            self.assertEqual([frame[0].header for frame in last], [{"type": "bye", "reason": "shutdown"}] * 300)
            behind = (sum(client.bytes_read for client in clients) - read_before) / 300
            self.assertLess(behind, 256 * 1024)  # of 2 MB: no backlog was worked off first
            self.assertNotIn("Traceback", "\n".join(server.log))

    def test_one_that_never_reads_is_cut_off_at_the_end_of_the_grace_time(self) -> None:
        with ServerProcess("--grace", "1") as server, closing(server.connect(receive_buffer=8_192)) as stuck:
            stuck.login("stuck")
            with closing(server.connect()) as other:
                other.login("other")
                self.leave_unread(server, 300)
                began = time.monotonic()
                server.signal(signal.SIGTERM)
                self.assertEqual(other.frames()[-1]["reason"], "shutdown")
            with self.assertRaises(OSError):  # nobody new is accepted
                server.connect()
            self.assertEqual(server.wait(), 0)
            self.assertLess(time.monotonic() - began, 10)  # it takes nothing: without the end it would be for ever
            self.assertNotIn("Traceback", "\n".join(server.log))

    def test_what_was_received_is_acknowledged_and_nothing_else(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            with ServerProcess() as server:
                with closing(server.connect()) as client:
                    client.login("ann", client="one", rooms={"lobby": 0})
                    for _ in range(3_000):
                        client.send("x")
                    client.read("ack", seq=100)
                    server.signal(number)
                    self.assertEqual(client.frames()[-1].header, {"type": "bye", "reason": "shutdown"})
                    acked = client.acked
                    client.close()
                    self.assertEqual(server.wait(), 0)
                server.start()
                with closing(server.connect()) as client:
                    welcome = client.login("ann", client="one", rooms={"lobby": 0})
                    self.assertEqual((welcome["received"], welcome["rooms"]["lobby"]["last_id"]), (acked, acked))

    def leave_unread(self, server: ServerProcess, messages: int) -> None:
        """Let somebody say so many messages of 20 kB, and go."""
        with closing(server.connect()) as writer:
            writer.login("writer")
            for _ in range(messages):
                writer.send("x" * 20_000)
            writer.read("ack", seq=messages)
