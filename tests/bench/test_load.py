"""What the load counts is what came, however it was cut, and a witness sees what is wrong."""

from __future__ import annotations

import socket
import threading
import time
import unittest
from collections.abc import Iterable
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from bench import load
from bench.body import SHORTEST, body
from bench.load import Broken, Crowd, Receiver, Sender, Talker, Witness, connect
from wire.frames import Message, Presence, encode


def feed(receiver: Receiver, stream: bytes, lengths: Iterable[int] = ()) -> None:
    """Let ``stream`` come in pieces of these lengths, then in one."""
    for length in (*lengths, len(stream)):
        piece, stream = stream[:length], stream[length:]
        if piece:
            load.buffer[: len(piece)] = piece
            receiver.take(len(piece))


def message(number: int, size: int = SHORTEST, room: str = "lobby", sender: int = 1) -> bytes:
    return encode(Message(room, number, "ann", 1_764_000_000_000), body(sender, number, size))


class Counting(unittest.TestCase):
    def test_every_message_of_a_stream_counts_once(self) -> None:
        receiver = Receiver(socket.socket())
        feed(receiver, b"".join(message(number) for number in range(1, 2001)), [1000] * 90)
        self.assertEqual(receiver.received, 2000)

    @given(
        st.lists(st.one_of(st.integers(1, 30), st.sampled_from([b"", b"x" * 7, b"y" * 300])), max_size=40),
        st.integers(1, 12_000),
        st.lists(st.integers(1, 900), max_size=60),
    )
    def test_also_with_other_frames_between_numbers_that_grow_and_any_cuts(
        self, parts: list[int | bytes], first: int, cuts: list[int]
    ) -> None:
        stream, said = b"", 0
        for part in parts:
            if isinstance(part, bytes):
                stream += part
            else:
                stream += b"".join(message(first + said + number) for number in range(part))
                said += part
        receiver = Receiver(socket.socket())
        feed(receiver, stream, cuts)
        self.assertEqual(receiver.received, said)

    def test_also_where_rooms_with_numbers_of_different_length_mix(self) -> None:
        stream = b"".join(message(number, room="a") + message(number + 995, room="b") for number in range(1, 400))
        for cut in (37, 150, 151, 4096, 100_000):
            receiver = Receiver(socket.socket())
            feed(receiver, stream, [cut] * 3000)
            self.assertEqual(receiver.received, 2 * 399)

    def test_a_shorter_one_at_the_end_of_what_came_is_not_overlooked(self) -> None:
        receiver = Receiver(socket.socket())
        feed(receiver, b"".join(message(number) for number in range(100, 110)))
        feed(receiver, message(110) + message(9, room="lobb"))
        self.assertEqual(receiver.received, 12)

    def test_presence_between_single_messages_does_not_hide_one(self) -> None:
        receiver = Receiver(socket.socket())
        feed(receiver, b"".join(message(number) for number in range(1, 10)))
        for number in range(10, 40):
            feed(receiver, encode(Presence("lobby", number)))
            feed(receiver, message(number))
        self.assertEqual(receiver.received, 39)


class Witnesses(unittest.TestCase):
    def witness(self, *numbers: int, size: int = 100) -> Witness:
        witness = Witness(socket.socket(), 100)
        feed(witness, b"".join(message(number, size) for number in numbers), [50, 333])
        return witness

    def test_one_sees_all_in_their_order(self) -> None:
        self.assertEqual(self.witness(1, 2, 3).received, 3)

    def test_a_gap_a_double_a_swap_and_a_change_are_seen(self) -> None:
        for numbers in ((1, 3), (1, 2, 2), (2, 1)):
            with self.assertRaises(Broken):
                self.witness(*numbers)
        with self.assertRaises(Broken):
            self.witness(1, size=101)

    def test_orders_differ_where_senders_are_heard_in_another_order(self) -> None:
        orders = set()
        for senders in ((1, 2), (2, 1)):
            witness = Witness(socket.socket(), 100)
            feed(witness, b"".join(message(1, 100, sender=sender) for sender in senders))
            orders.add(witness.order)
        self.assertEqual(len(orders), 2)

    def test_a_delay_is_from_when_it_was_said(self) -> None:
        witness = Witness(socket.socket(), 100)
        feed(witness, body(1, 1, 100, time.monotonic_ns() - 10**9))
        [delay] = witness.delays
        self.assertGreaterEqual(delay, 10**9)


class Crowds(unittest.TestCase):
    def setUp(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.listener.close)
        self.address = self.listener.getsockname()

    def accept(self) -> socket.socket:
        accepted, _ = self.listener.accept()
        self.addCleanup(accepted.close)
        return accepted

    def test_a_server_that_closes_a_connection_breaks_the_run(self) -> None:
        with Crowd() as crowd:
            crowd.add(Receiver(connect(self.address)))
            self.accept().close()
            with self.assertRaises(Broken):
                crowd.until(lambda: False)

    def test_what_a_socket_does_not_take_at_once_is_said_later(self) -> None:
        said = b"".join(message(number) for number in range(1, 100_000))
        heard = bytearray()

        def hear() -> None:
            accepted = self.accept()
            while len(heard) < len(said):
                heard.extend(accepted.recv(65_536))
            accepted.sendall(b"|")

        listening = threading.Thread(target=hear)
        listening.start()
        with Crowd() as crowd:
            crowd.add(talker := Talker(connect(self.address)))
            talker.say(said)
            crowd.speaks(talker)
            crowd.until(lambda: crowd.arrived == 1)
        listening.join()
        self.assertEqual(heard, said)

    def test_no_more_are_on_their_way_in_than_may_be(self) -> None:
        on_their_way: list[int] = []
        greeted = 0

        def let_in() -> None:
            nonlocal greeted
            waiting: list[socket.socket] = []
            for number in range(10):
                waiting.append(self.accept())
                while waiting and (len(waiting) == 3 or number == 9):
                    greeted += 1
                    waiting.pop(0).sendall(b"hello")

        def counted(address: tuple[str, int]) -> socket.socket:
            on_their_way.append(len(on_their_way) + 1 - greeted)
            return connect(address)

        opening = threading.Thread(target=let_in)
        opening.start()
        with mock.patch.object(load, "connect", counted), Crowd() as crowd:
            self.assertEqual(len(crowd.enter(self.address, [[(b"hi", b"hello")]] * 10, 3)), 10)
        opening.join()
        self.assertLessEqual(max(on_their_way), 3)

    def test_who_is_in_is_read_once_all_are(self) -> None:
        others_outside: list[int] = []  # at each read of one who is in

        class Inside(load.Connection):
            def take(self, size: int) -> int:
                others_outside.append(sum(isinstance(other, load.Entering) for other in crowd._all.values()))
                return 0

        def let_in() -> None:
            inside: list[socket.socket] = []
            for _ in range(20):
                accepted = self.accept()
                for sock in inside:
                    sock.sendall(b"another one")
                accepted.sendall(b"hello")
                inside.append(accepted)

        opening = threading.Thread(target=let_in)
        opening.start()
        with mock.patch.object(load, "Connection", Inside), Crowd() as crowd:
            crowd.enter(self.address, [[(b"hi", b"hello")]] * 20, 1)
        opening.join()
        self.assertEqual(set(others_outside), {0})

    def test_who_is_left_alone_is_not_read(self) -> None:
        with Crowd() as crowd:
            crowd.add(receiver := Receiver(connect(self.address)))
            accepted = self.accept()
            crowd.leave_alone(receiver)
            accepted.sendall(message(1))
            self.assertFalse(crowd.turn(0))
            self.assertEqual(receiver.received, 0)

    def test_a_sender_says_what_is_left_first(self) -> None:
        with Crowd() as crowd:
            crowd.add(sender := Sender(connect(self.address)))
            sender.say(b"one ")
            sender.say(b"two")
            accepted = self.accept()
            crowd.speaks(sender)
            while accepted.recv(100, socket.MSG_PEEK) != b"one two":
                crowd.turn(1)
