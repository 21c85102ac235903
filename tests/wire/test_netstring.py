"""The decoder: the same strings as Twisted's from the same bytes, and what it promises besides."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable
from typing import Any, SupportsIndex
from unittest import TestCase

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.testing import StringTransport
from twisted.protocols.basic import NetstringParseError, NetstringReceiver

from wire.netstring import Netstrings, netstring

SMALL = 20  # a limit that short streams can reach


class Theirs(NetstringReceiver):
    MAX_LENGTH = SMALL

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def stringReceived(self, string: bytes) -> None:
        self.heard.append(string)


class Ours(Netstrings):
    MAX_LENGTH = SMALL

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def stringReceived(self, string: bytes) -> None:
        self.heard.append(string)


class Full(Ours):
    """With the protocol's own limit."""

    MAX_LENGTH = Netstrings.MAX_LENGTH


def connected(receiver: Any) -> Any:
    receiver.makeConnection(StringTransport())
    return receiver


def given_to(receiver: Any, pieces: Iterable[bytes]) -> Any:
    """Return ``receiver`` after it read the pieces, as far as a transport would have gone on reading them."""
    connected(receiver)
    for piece in pieces:
        if not receiver.transport.disconnecting:
            receiver.dataReceived(piece)
    return receiver


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    edges = [0, *sorted(places), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges) if a < b]


GOOD = b"0:,5:hello,1:,,3:7:a,20:" + b"x" * SMALL + b",0:,"
BAD = {
    "no comma": b"5:hello,5:hellox",
    "a comma too early": b"5:hell,o,",
    "a leading zero": b"1:a,05:hello,",
    "two zeros": b"1:a,00:,",
    "a sign": b"1:a,-1:a,",
    "a plus": b"1:a,+1:a,",
    "no length": b"1:a,:a,",
    "a space": b"1:a, 1:a,",
    "letters": b"1:a,GET / HTTP/1.1",
    "other digits": "1:a,\u0661:a,".encode(),
    "one too long": b"1:a,21:" + b"x" * 21 + b",",
    "far too long": b"1:a,99999999999999999999:",
}


class LikeTwistedsTests(TestCase):
    """Both are given the same bytes."""

    def check(self, data: bytes, pieces: list[bytes]) -> None:
        ours, theirs = given_to(Ours(), pieces), given_to(Theirs(), pieces)
        self.assertEqual(ours.heard, theirs.heard, pieces)
        self.assertEqual(bool(ours.brokenPeer), bool(theirs.brokenPeer), pieces)
        self.assertEqual(ours.transport.disconnecting, theirs.transport.disconnecting, pieces)

    def test_cut_at_every_two_places(self) -> None:
        for places in itertools.combinations_with_replacement(range(len(GOOD) + 1), 2):
            self.check(GOOD, cut(GOOD, places))

    def test_one_byte_at_a_time(self) -> None:
        self.check(GOOD, cut(GOOD, range(len(GOOD))))

    def test_what_is_no_netstring_cut_at_every_two_places(self) -> None:
        for name, data in BAD.items():
            for places in itertools.combinations_with_replacement(range(len(data) + 1), 2):
                with self.subTest(name, places=places):
                    self.check(data, cut(data, places))

    @given(st.lists(st.binary(max_size=SMALL)), st.data())
    def test_any_strings_cut_anywhere(self, strings: list[bytes], data: st.DataObject) -> None:
        stream = b"".join(map(netstring, strings))
        places = data.draw(st.lists(st.integers(0, len(stream)), max_size=20))
        ours = given_to(Ours(), cut(stream, places))
        self.assertEqual(ours.heard, strings)
        self.check(stream, cut(stream, places))

    @given(st.text(alphabet="0123:,a-", max_size=12).map(str.encode), st.data())
    def test_any_bytes_cut_anywhere(self, stream: bytes, data: st.DataObject) -> None:
        pieces = cut(stream, data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
        self.check(stream, pieces)

    def test_strings_are_sent_alike(self) -> None:
        ours, theirs = connected(Ours()), connected(Theirs())
        for string in (b"", b"hello", b"1:a,"):
            ours.sendString(string)
            theirs.sendString(string)
        self.assertEqual(ours.transport.value(), theirs.transport.value())
        self.assertEqual(ours.transport.value(), b"0:,5:hello,4:1:a,,")


class LimitTests(TestCase):
    def test_the_longest_string_is_taken(self) -> None:
        longest = b"x" * 65_536
        self.assertEqual(given_to(Full(), [netstring(longest)]).heard, [longest])

    def test_a_longer_one_is_refused_on_reading_its_length(self) -> None:
        receiver = given_to(Full(), [b"1:a,65537:"])
        self.assertEqual(receiver.heard, [b"a"])
        self.assertTrue(receiver.brokenPeer)

    def test_a_length_with_too_many_digits_is_not_waited_for(self) -> None:
        self.assertTrue(given_to(Full(), [b"655360"]).brokenPeer)
        self.assertFalse(given_to(Full(), [b"65536"]).brokenPeer)

    def test_what_can_be_no_length_is_refused_at_its_first_byte(self) -> None:
        for byte in b"abc:,-+ {\x00\xff":
            self.assertTrue(given_to(Full(), [bytes([byte])]).brokenPeer, byte)

    def test_nothing_is_delivered_after_a_bad_one(self) -> None:
        receiver = given_to(Full(), [b"1:a,x1:b,"])
        receiver.dataReceived(b"1:c,")
        self.assertEqual(receiver.heard, [b"a"])

    def test_parse_failed_is_told_once_and_why(self) -> None:
        told: list[str] = []

        class Told(Full):
            def parse_failed(self, reason: NetstringParseError) -> None:
                told.append(str(reason))

        receiver = given_to(Told(), [b"1:a;"])
        receiver.dataReceived(b"1:b,")
        self.assertEqual(len(told), 1)
        self.assertIn("comma", told[0])
        self.assertEqual(receiver.heard, [])


class Choosy(Full):
    """Does something after some of the strings."""

    def stringReceived(self, string: bytes) -> None:
        super().stringReceived(string)
        match string:
            case b"pause":
                self.pauseProducing()
            case b"pause and resume":
                self.pauseProducing()
                self.resumeProducing()
            case b"close":
                self.transport.loseConnection()  # type: ignore[union-attr]


class PauseTests(TestCase):
    def setUp(self) -> None:
        self.receiver = connected(Choosy())

    def read(self, *strings: bytes) -> None:
        self.receiver.dataReceived(b"".join(map(netstring, strings)))

    def test_nothing_comes_after_a_pause(self) -> None:
        self.read(b"1", b"pause", b"2")
        self.assertEqual(self.receiver.heard, [b"1", b"pause"])
        self.assertEqual(self.receiver.transport.producerState, "paused")

    def test_what_was_read_before_and_during_a_pause_comes_after_it_in_order(self) -> None:
        self.read(b"pause", b"1")
        self.receiver.dataReceived(b"1:2,1:")
        self.receiver.dataReceived(b"3,")
        self.assertEqual(self.receiver.heard, [b"pause"])
        self.receiver.resumeProducing()
        self.assertEqual(self.receiver.heard, [b"pause", b"1", b"2", b"3"])
        self.assertEqual(self.receiver.transport.producerState, "producing")

    def test_the_socket_is_read_again_only_when_all_that_is_held_is_delivered(self) -> None:
        self.read(b"pause", b"pause", b"1")
        self.receiver.resumeProducing()
        self.assertEqual(self.receiver.heard, [b"pause", b"pause"])
        self.assertEqual(self.receiver.transport.producerState, "paused")
        self.receiver.resumeProducing()
        self.assertEqual(self.receiver.heard, [b"pause", b"pause", b"1"])
        self.assertEqual(self.receiver.transport.producerState, "producing")

    def test_pausing_twice_is_pausing_once(self) -> None:
        self.receiver.pauseProducing()
        self.receiver.pauseProducing()
        self.receiver.resumeProducing()
        self.assertEqual(self.receiver.transport.producerState, "producing")

    def test_resuming_within_a_delivery_neither_reorders_nor_recurses(self) -> None:
        strings = [b"pause and resume", b"x"] * (sys.getrecursionlimit() + 10)
        self.read(*strings)
        self.assertEqual(self.receiver.heard, strings)

    def test_nothing_comes_after_a_close(self) -> None:
        self.read(b"1", b"close", b"2")
        self.read(b"3")
        self.assertEqual(self.receiver.heard, [b"1", b"close"])

    def test_a_mistake_behind_a_pause_is_found_only_after_it(self) -> None:
        self.receiver.dataReceived(netstring(b"pause") + b"rubbish")
        self.assertFalse(self.receiver.brokenPeer)
        self.receiver.resumeProducing()
        self.assertTrue(self.receiver.brokenPeer)


class Moved(bytes):
    """Bytes that count how many of them are copied or searched."""

    total = 0

    def __getitem__(self, where: SupportsIndex | slice) -> Any:
        piece = super().__getitem__(where)
        Moved.total += len(piece) if isinstance(piece, bytes) else 1
        return piece

    def find(self, sub: Any, start: Any = None, end: Any = None) -> int:
        found = super().find(sub, start, end)
        last = len(self) if end is None else min(end, len(self))
        Moved.total += (found if found >= 0 else last) - (start or 0)
        return found


class Counted(Full):
    """Counts the bytes that its work moves."""

    def _refill(self) -> bool:
        filled = super()._refill()
        if filled:
            Moved.total += len(self._buffer)
            self._buffer = Moved(self._buffer)
        return filled


class LinearTests(TestCase):
    """Work is counted in bytes moved, so that a busy machine changes nothing."""

    def moved(self, pieces: Iterable[bytes]) -> float:
        """Return how often each byte is moved, from first to last."""
        pieces = list(pieces)
        Moved.total = 0
        self.heard = given_to(Counted(), pieces).heard
        return Moved.total / sum(map(len, pieces))

    def test_many_strings_in_one_read(self) -> None:
        strings = [b"x" * 20] * 20_000
        self.assertLess(self.moved([b"".join(map(netstring, strings))]), 4)
        self.assertEqual(self.heard, strings)

    def test_a_long_string_byte_by_byte(self) -> None:
        data = netstring(b"x" * 65_000) * 2
        self.assertLess(self.moved(cut(data, range(len(data)))), 4)
        self.assertEqual(len(self.heard), 2)

    def test_a_long_string_behind_short_ones_in_small_reads(self) -> None:
        data = (netstring(b"hello") * 1000 + netstring(b"x" * 65_000)) * 3
        self.assertLess(self.moved(cut(data, range(0, len(data), 1000))), 4)
        self.assertEqual(len(self.heard), 3003)

    def test_pausing_after_each_string_of_one_read(self) -> None:
        strings = [b"pause and resume"] * 5_000
        data = b"".join(map(netstring, strings))
        Moved.total = 0

        class CountedChoosy(Choosy, Counted):
            pass

        receiver = given_to(CountedChoosy(), [data])
        self.assertEqual(receiver.heard, strings)
        self.assertLess(Moved.total / len(data), 4)
