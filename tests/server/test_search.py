"""Searches, with time and threads in the test's hand."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import pairwise
from typing import Any, cast

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.trial.unittest import TestCase

from server.search import FIRST, LONG, SLICE, SOON
from server.server import Server
from storage.interface import IStorage, Message, StorageDown
from tests.server.fakes import House, ListStorage, Peer, Steps
from wire import frames
from wire.frames import MAX_PAGE

ROOM = 40 * FIRST


class Slices:
    """Calls of the reading threads: looks wait until the test lets them go on, all else is done by ``steps``."""

    def __init__(self, storage: ListStorage, steps: Steps) -> None:
        self._storage = storage
        self._steps = steps
        self.looks: deque[Callable[[], object]] = deque()
        self.spans: list[tuple[int, int]] = []

    def __call__(self, function: Callable[..., Any], *args: Any) -> Deferred[Any]:
        if function != self._storage.search:
            return self._steps(function, *args)
        looked: Deferred[Any] = Deferred()
        self.spans.append(args[2:4])
        self.looks.append(lambda: maybeDeferred(function, *args).chainDeferred(looked))
        return looked


class SearchHouse(House):
    """A server in whose lobby are many messages, a few of them hits."""

    def __init__(self, *hits: int) -> None:
        super().__init__()
        self.slices = Slices(self.storage, self.steps)
        self.server = Server(cast(IStorage, self.storage), self.steps, self.slices, self.clock)
        self.storage._open("lobby")
        self.storage.messages[1] += (
            Message("lobby", id, "ann", 1, "Word" if id in hits else "x") for id in range(1, ROOM + 1)
        )

    def look(self, seconds: float = 0.0) -> None:
        """Let one slice be looked at, which takes so long."""
        self.clock.advance(seconds)
        self.slices.looks.popleft()()
        self.settle()


def away(*_: object) -> list[Message]:
    raise StorageDown("gone")


class SearchTests(TestCase):
    def setUp(self) -> None:
        self.house = SearchHouse(5, 7, ROOM - 1)
        self.ann = self.peer("ann")

    def peer(self, name: str) -> Peer:
        return self.house.peer(name, history=0)

    def ask(self, peer: Peer | None = None, query: str = "word", limit: int = 9, ref: int = 5, **fields: Any) -> None:
        (peer or self.ann).says(frames.Search(query, limit, ref, **fields))
        self.house.settle()

    def until_done(self, seconds: float = 0.0, ref: int = 5) -> frames.Done:
        while not (found := [frame for frame in self.ann.heard(frames.Done) if frame.ref == ref]):
            self.house.look(seconds)
        return cast(frames.Done, found[-1])

    def hits(self, peer: Peer | None = None) -> list[int]:
        return [frame.id for frame in (peer or self.ann).heard(frames.Message)]

    def test_from_the_newest_down_to_the_end_and_ascending(self) -> None:
        self.ask()
        self.assertEqual(self.until_done(), frames.Done(5))
        self.assertEqual(self.hits(), [5, 7, ROOM - 1])
        spans = self.house.slices.spans
        self.assertEqual((spans[0], spans[-1][0]), ((ROOM - FIRST + 1, ROOM), 1))
        for (first, _), (_, last) in pairwise(spans):
            self.assertEqual(last, first - 1)

    def test_what_was_found_soon_is_told_soon_and_one_asks_on(self) -> None:
        self.ask()
        done = self.until_done(SOON)
        self.assertEqual((self.hits(), done.before), ([ROOM - 1], ROOM - FIRST + 1))
        self.ask(ref=6, before=cast(int, done.before))
        self.assertEqual(self.until_done(ref=6), frames.Done(6))
        self.assertEqual(self.hits(), [ROOM - 1, 5, 7])

    def test_while_nothing_is_found_it_goes_on_but_not_forever(self) -> None:
        self.ask(query="nothing")
        done = self.until_done(LONG / 4)
        self.assertEqual((len(self.house.slices.spans), self.hits()), (4, []))
        self.assertEqual(done.before, self.house.slices.spans[-1][0])

    def test_one_that_takes_long_is_followed_by_as_much_less_down_to_one_message(self) -> None:
        self.ask(query="nothing")
        for _ in range(3):
            self.house.look(4 * SLICE)
        sizes = [last - first + 1 for first, last in self.house.slices.spans]
        self.assertEqual(sizes, [FIRST, FIRST // 4, FIRST // 16, 1])

    def test_a_slice_grows_as_far_as_it_is_quick(self) -> None:
        self.ask(query="nothing")
        for seconds in (0, SLICE / 5, 2 * SLICE, SLICE / 3, SLICE / 3):
            self.house.look(seconds)
        sizes = [last - first + 1 for first, last in self.house.slices.spans]
        self.assertEqual(sizes, [FIRST * times for times in (1, 4, 16, 8, 8, 3)])

    def test_no_more_than_the_limit_the_newest_of_them(self) -> None:
        self.ask(limit=2)
        self.assertEqual(self.until_done().before, 7)
        self.assertEqual(self.hits(), [7, ROOM - 1])
        self.ask(limit=2, ref=6, before=7)
        self.assertEqual(self.until_done(ref=6), frames.Done(6))
        self.assertEqual(self.hits()[2:], [5])

    def test_no_more_than_a_page_whatever_the_limit_is(self) -> None:
        self.house = SearchHouse(*range(1, ROOM + 1))
        self.ann = self.peer("ann")
        self.ask(limit=MAX_PAGE + 1)
        self.until_done()
        self.assertEqual(self.hits(), list(range(ROOM - MAX_PAGE + 1, ROOM + 1)))

    def test_the_limit_at_the_very_end_of_the_room(self) -> None:
        self.house = SearchHouse(1, 2)
        self.ann = self.peer("ann")
        self.ask(limit=1, before=3)
        self.assertEqual(self.until_done().before, 2)
        self.ask(limit=1, before=2, ref=6)
        self.assertEqual((self.until_done(ref=6), self.hits()), (frames.Done(6), [2, 1]))

    def test_those_who_search_take_turns_one_slice_at_once(self) -> None:
        bob = self.peer("bob")
        self.ask()
        self.ask(bob, query="nothing")
        for _ in range(3):
            self.assertEqual(len(self.house.slices.looks), 1)
            self.house.look(2 * SLICE)
        self.assertEqual(self.house.slices.spans[:2], [(ROOM - FIRST + 1, ROOM)] * 2)
        self.assertEqual(self.hits(), [ROOM - 1])  # bob's slice did not count

    def test_everybody_goes_on_meanwhile(self) -> None:
        bob = self.peer("bob")
        self.ask()
        self.ann.says(frames.History(2, 6))
        self.ann.says(frames.Send(1), b"talk")
        bob.says(frames.History(2, 6))
        self.house.settle()
        self.assertEqual([frame.ref for frame in self.ann.heard(frames.Done)], [6])
        self.assertEqual(len(self.ann.heard(frames.Ack)), 1)
        self.assertEqual(len(bob.heard(frames.Message)), 3)
        self.assertEqual(len(self.house.slices.spans), 1)

    def test_cancelled_while_it_looks_and_while_it_waits(self) -> None:
        bob = self.peer("bob")
        self.ask(bob)
        self.ask()
        self.ann.says(frames.Cancel(5))
        self.ann.says(frames.Ping(1))  # nobody is waited for: nothing was being read
        self.assertEqual((len(self.ann.heard(frames.Done)), len(self.ann.heard(frames.Pong))), (1, 1))
        bob.says(frames.Cancel(5))
        bob.says(frames.Ping(1))
        self.assertEqual((len(bob.heard(frames.Done)), len(bob.heard(frames.Pong))), (1, 0))
        self.house.look()
        self.assertEqual((len(self.house.slices.spans), len(bob.heard(frames.Pong))), (1, 1))
        self.ask(ref=6)
        self.until_done(ref=6)
        self.assertEqual((self.hits(), self.hits(bob)), ([5, 7, ROOM - 1], []))

    def test_who_goes_leaves_the_turn_to_others(self) -> None:
        bob, cy = self.peer("bob"), self.peer("cy")
        for peer in (bob, cy, self.ann):
            self.ask(peer)
        bob.ends()
        cy.ends()
        self.until_done()
        self.assertEqual(self.house.slices.spans[1], (ROOM - FIRST + 1, ROOM))
        self.assertEqual(self.hits(), [5, 7, ROOM - 1])

    def test_a_database_that_goes_away_and_comes_back(self) -> None:
        bob = self.peer("bob")
        self.ask()
        self.ask(bob)
        page, self.house.storage.page = self.house.storage.page, away  # type: ignore[method-assign, assignment]
        self.house.look()
        self.house.storage.page = page  # type: ignore[method-assign]
        self.assertEqual([(frame.code, frame.ref) for frame in self.ann.heard(frames.Error)], [("storage_down", 5)])
        self.ask()
        self.until_done()
        self.assertEqual((self.hits(), self.hits(bob)), ([5, 7, ROOM - 1],) * 2)

    def test_one_that_was_deleted_meanwhile_is_not_given(self) -> None:
        self.ask()
        self.house.slices._steps = waiting = Steps()
        while self.house.slices.looks:
            self.house.look()
        self.house.storage.messages[1][6].deleted = True
        while waiting.step():
            self.house.settle()
        self.assertEqual((self.hits(), len(self.ann.heard(frames.Done))), ([5, ROOM - 1], 1))

    def test_many_hits_to_a_socket_that_takes_little(self) -> None:
        self.house = SearchHouse(*range(1, ROOM, 7))
        slow = self.house.peer("slow", room=5_000, history=0)
        self.ask(slow, limit=501)
        while self.house.slices.looks:
            self.house.look()
        while not slow.heard(frames.Done):
            self.assertLess(slow.transport.held, 200)
            slow.transport.take(700)
            self.house.settle()
        self.assertEqual(self.hits(slow), list(range(1, ROOM, 7))[-500:])

    def test_nothing_to_look_for_and_nowhere_to_look(self) -> None:
        for fields in ({"query": ""}, {"query": " \t\n\u3000\u00a0"}, {"limit": 0}, {"before": 1}, {"before": 0}):
            with self.subTest(**fields):
                peer = self.peer(f"peer{len(self.house.server.get_all())}")
                self.ask(peer, **fields)
                self.assertEqual((peer.heard(frames.Done), self.hits(peer)), ([frames.Done(5)], []))
        self.assertEqual(self.house.slices.spans, [])
