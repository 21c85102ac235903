"""Pages of a log: where they begin, and how much of it they are."""

from __future__ import annotations

from unittest import TestCase

from twisted.internet.defer import Deferred

from server.log import SEGMENT, Segment
from server.pages import STEP, Pages, read_page


class Log:
    """A log of ``count`` messages of ``size`` bytes, the oldest kept being ``first_id``; tells what was asked of it."""

    def __init__(self, count: int, size: int, first_id: int = 1) -> None:
        self.ids = range(first_id, count + 1)
        self.size = size
        self.asked: list[tuple[int, int]] = []

    def read(self, first: int, last: int) -> tuple[int, list[bytes]]:
        self.asked.append((first, last))
        found = [id for id in self.ids if first <= id <= last]
        return (found or [first])[0], [b"x" * self.size for _ in found]


class ReadPageTests(TestCase):
    def test_short_messages_make_a_page_as_large_as_one_write(self) -> None:
        page = read_page(Log(100_000, 185).read, 1)
        assert page is not None
        self.assertGreater(len(page.data), SEGMENT - 2 * 185)
        self.assertLessEqual(len(page.data), SEGMENT)
        self.assertEqual((page.first_id, page.after(0).last_id), (1, page.last_id))

    def test_large_ones_are_few(self) -> None:
        log = Log(1000, 60_000)
        page = read_page(log.read, STEP + 1)
        assert page is not None
        self.assertEqual((page.first_id, page.last_id), (STEP + 1, 2 * STEP))
        self.assertEqual(log.asked, [(STEP + 1, 2 * STEP)])

    def test_the_end_of_the_log_and_what_is_pruned(self) -> None:
        log = Log(STEP + 10, 100, first_id=5)
        page = read_page(log.read, 1)
        assert page is not None
        self.assertEqual((page.first_id, page.last_id), (5, STEP + 10))
        self.assertIsNone(read_page(Log(10, 100).read, STEP + 1))


class PagesTests(TestCase):
    def test_a_reader_comes_from_page_to_page_without_a_gap(self) -> None:
        count = 5_000
        log = Log(count, 185)

        def read(room: str, first: int) -> Deferred[Segment]:
            page = read_page(log.read, first)
            answer: Deferred[Segment] = Deferred()
            answer.callback(page)  # type: ignore[arg-type]
            return answer

        pages = Pages(read)
        for _ in range(2):  # the second one finds them all
            id = 0
            while id < count:
                page = pages.cached("lobby", id + 1)
                if page is None:
                    pages.load("lobby", id + 1)
                    page = pages.cached("lobby", id + 1)
                assert page is not None
                self.assertLessEqual(page.first_id, id + 1)
                self.assertGreater(page.last_id, id)
                id = page.after(id).last_id
        self.assertLess(len(log.asked), 2 * count * 185 / SEGMENT + 4)

    def test_who_comes_a_little_later_in_the_log_finds_the_same_page(self) -> None:
        page = Segment(1, [b"x"] * STEP)
        answer: Deferred[Segment] = Deferred()
        answer.callback(page)
        pages = Pages(lambda room, first: answer)
        pages.load("lobby", 5)
        self.assertIs(pages.cached("lobby", 9), page)
