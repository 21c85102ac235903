"""Segments, pieces and tails, against plain lists."""

from __future__ import annotations

import unittest

from hypothesis import given
from hypothesis import strategies as st

from server.log import SEGMENT, Segment, Tail

sizes = st.lists(st.sampled_from([0, 1, 7, 1000, 40_000, 130_000, 200_000]), min_size=1, max_size=12)


def messages(lengths: list[int], first: int = 1) -> list[bytes]:
    return [b"%d " % id + b"x" * length for id, length in enumerate(lengths, first)]


class LogTests(unittest.TestCase):
    @given(sizes, st.integers(0, 11))
    def test_a_piece_is_whole_messages_and_no_more_than_one_write(self, lengths: list[int], after: int) -> None:
        log = messages(lengths)
        after = min(after, len(log) - 1)
        piece = Segment(1, log).after(after)
        self.assertEqual(bytes(piece.data), b"".join(log[after : piece.last_id]))
        self.assertTrue(len(piece.data) <= SEGMENT or piece.last_id == after + 1)

    @given(sizes, st.data())
    def test_a_short_write_leaves_the_rest_of_one_message(self, lengths: list[int], data: st.DataObject) -> None:
        log = messages(lengths)
        piece = Segment(1, log).after(0)
        sent = data.draw(st.integers(1, len(piece.data)))
        id, rest = piece.cut(sent)
        self.assertEqual(bytes(piece.data[:sent]) + bytes(rest), b"".join(log[:id]))
        self.assertLess(len(rest), len(log[id - 1]))

    @given(st.lists(sizes, min_size=1, max_size=6), st.integers(0, 400_000))
    def test_a_tail_gives_all_that_it_holds(self, batches: list[list[int]], bound: int) -> None:
        tail = Tail(0)
        log: list[bytes] = []
        for lengths in batches:
            batch = messages(lengths, len(log) + 1)
            log += batch
            tail.append(batch)
            tail.trim(bound)
            self.assertLessEqual(tail.size, bound)
        self.assertEqual(tail.last_id, len(log))
        got, id = [], tail.first_id - 1
        while id < tail.last_id:
            piece = tail.after(id)
            assert piece is not None
            got.append(bytes(piece.data))
            id = piece.last_id
        self.assertEqual(b"".join(got), b"".join(log[tail.first_id - 1 :]))
        if tail.first_id > 1:
            self.assertIsNone(tail.after(tail.first_id - 2))
