"""A room on a screen, without a terminal: whatever comes, is fetched and let go, what one looks at stays."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import pairwise
from unittest import TestCase
from unittest.mock import patch

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cli.inbox import Message
from cli.screen import history, room
from cli.screen.highlights import Highlights
from cli.screen.history import Span
from cli.screen.lines import Kind
from cli.screen.look import Look
from cli.screen.room import Room
from cli.screen.rows import UNSENT, Position
from cli.screen.scrollback import Bound
from cli.screen.view import Placed, View
from cli.settings import Settings
from tests.cli.screen.made import NOON, message, shown

LOOK = Look("ann", Highlights(["ann"]))


def said(id: int) -> Message:
    """Return what stands at ``id``: one row or several, more than a screen has at times, some on another day."""
    words = f"m{id} " + "and more " * (id % 7 * id % 5 * 12)
    return Message("lobby", id, "bob", int((NOON + id // 9 * 86400) * 1000), words.strip())


class Scrolled(TestCase):
    def setUp(self) -> None:
        self.room = Room("lobby")
        self.room.enter()
        self.room.open(1, 0)
        self.view = View(self.room, LOOK)
        self.size = 40, 10

    def fill(self, count: int) -> None:
        for id in range(self.room.last_id + 1, self.room.last_id + count + 1):
            self.room.add(message(id, f"m{id}"))
        self.view.refresh(self.size)

    def texts(self) -> list[str]:
        canvas = self.view.render(self.size)
        return [row.decode().rstrip()[13:] for row in canvas.text]

    def test_few_stand_at_the_top(self) -> None:
        self.fill(2)
        self.view.page(-1)
        self.view.refresh(self.size)
        self.assertTrue(self.room.follows)
        self.assertEqual([text for text in self.texts() if text.startswith("m")], ["m1", "m2"])
        self.assertEqual(self.texts()[4:], [""] * 6)

    def test_nothing(self) -> None:
        view = View(Room("empty"), LOOK)
        self.assertEqual(len(view.render(self.size).text), 10)
        view.page(-1)

    def test_lines_have_names_as_they_are_shown(self) -> None:
        self.room.add(message(1, sender="\u0430nn"))
        self.view.refresh(self.size)
        self.assertEqual([line.name for line in self.view.lines()], ["≈\u0430nn"])

    def test_pages_keep_a_row(self) -> None:
        self.fill(50)
        self.assertEqual(self.texts(), [f"m{id}" for id in range(41, 51)])
        self.view.page(-1)
        self.assertEqual(self.texts(), [f"m{id}" for id in range(32, 42)])
        self.view.refresh(self.size)
        self.assertEqual(self.texts(), [f"m{id}" for id in range(32, 42)])
        self.view.scroll(-3)
        self.assertEqual(self.texts()[0], "m29")
        self.view.page(1)
        self.view.page(1)
        self.assertTrue(self.room.follows)
        self.assertEqual(self.texts()[-1], "m50")
        for _ in range(9):
            self.view.page(-1)
        self.assertIn("lobby begins here", self.texts()[0])

    def test_new_ones_do_not_move_it(self) -> None:
        self.fill(50)
        self.view.page(-1)
        seen = self.texts()
        self.fill(500)
        self.assertEqual(self.texts(), seen)
        self.assertEqual(self.room.unread, 500)

    def test_a_message_taller_than_the_screen(self) -> None:
        self.room.add(message(1, " ".join(f"n{n}" for n in range(500))))
        self.view.refresh(self.size)
        self.assertTrue(self.texts()[-1].endswith("n499"))
        seen = self.texts()
        for _ in range(15):
            self.view.scroll(-7)
            seen += self.texts()
        words = set(" ".join(seen).split())
        self.assertEqual([n for n in range(500) if f"n{n}" not in words], [])

    def test_a_gap_is_a_wall(self) -> None:
        self.room.open(1, 0)
        self.room.add(message(500, "m500"))
        for id in range(501, 504):
            self.room.add(message(id, f"m{id}"))
        self.view.refresh(self.size)
        for _ in range(3):
            self.view.page(-1)
            self.assertEqual(next(filter(None, self.texts())), "… 499 messages: loading")
        self.room.load(Span(400, 499), [message(id, f"m{id}") for id in range(400, 500)])
        self.view.refresh(self.size)
        self.assertEqual(self.texts(), [f"m{id}" for id in range(494, 504)])

    def test_a_jump_where_nothing_is_loaded(self) -> None:
        self.room.open(1, 0)
        self.room.add(message(500, "m500"))
        self.room.look_at((250, 0))
        self.view.refresh(self.size)
        self.assertEqual([text for text in self.texts() if text], ["… 499 messages: loading"])
        self.view.page(-1)
        wanted = self.room.wanted()
        assert wanted is not None
        self.room.load(wanted, [message(id, f"m{id}") for id in range(wanted.first, wanted.last + 1)])
        self.view.refresh(self.size)
        self.assertEqual(self.texts()[3], "m250")

    def test_a_jump_to_what_the_end_shows_follows(self) -> None:
        self.fill(50)
        self.room.look_at((48, 0))
        self.view.refresh(self.size)
        self.assertEqual((self.room.follows, self.texts()[-1]), (True, "m50"))

    def test_another_size(self) -> None:
        self.fill(50)
        self.view.page(-1)
        self.view.refresh((30, 4))
        self.assertEqual(len(self.view.render((30, 4)).text), 4)
        self.assertTrue(self.view.placed)
        self.view.refresh((1, 1))
        self.view.render((1, 1))

    def test_wider_while_a_long_one_is_partly_above_the_screen(self) -> None:
        self.room.open(1, 500)
        self.room.add(message(250, " ".join(f"n{n}" for n in range(500))))
        self.room.add(message(500, "m500"))
        self.room.look_at((250, 0))
        self.view.refresh(self.size)
        for _ in range(15):
            self.view.page(1)
        self.assertTrue(any("249 messages" in text for text in self.texts()))
        self.size = 200, 10
        self.view.refresh(self.size)
        self.assertTrue(any("n499" in text for text in self.texts()))


class Anything(RuleBasedStateMachine):
    """A server with messages, a room that has some of them, and somebody who scrolls."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = ExitStack()
        self.patches.enter_context(patch.object(history, "PAGE", 10))
        self.patches.enter_context(patch.object(room, "PAGE", 10))
        self.patches.enter_context(patch.object(room, "SHOWN", Bound(40, 10**6)))
        self.first, self.last = 1, 60  # that the server keeps
        self.room = Room("lobby", settings=Settings(presence="all"))
        self.room.enter()
        self.room.open(self.first, self.last)
        self.size = 40, 10
        self.view = View(self.room, LOOK)
        self.view.refresh(self.size)
        self.asked: Span | None = None

    def teardown(self) -> None:
        self.patches.close()

    def stays(self) -> dict[Position, int]:
        """Return where what is on the screen stands, where it is to stay there."""
        placed = self.view.placed
        whole = bool(placed) and placed[0].top <= 0 and placed[-1].bottom >= self.size[1]
        return {} if self.room.follows or not whole else {line.position: line.top for line in placed if line.stays}

    def come(self, before: dict[Position, int]) -> None:
        self.view.refresh(self.size)
        if not self.room.follows:
            after = {line.position: line.top for line in self.view.placed}
            for position, top in before.items():
                if position[0] >= self.room.history.first_id:
                    assert after.get(position) == top, (position, top, after)

    @rule(count=st.integers(1, 30))
    def messages(self, count: int) -> None:
        before = self.stays()
        for _ in range(count):
            self.last += 1
            self.room.add(said(self.last))
        self.come(before)

    @rule()
    def ask(self) -> None:
        if self.asked is None:
            self.asked = self.room.wanted()
            if self.asked is not None:
                assert 1 <= self.asked.last - self.asked.first + 1 <= 10

    @rule()
    def answer(self) -> None:
        if self.asked is not None:
            before = self.stays()
            ids = range(max(self.first, self.asked.first), self.asked.last + 1)
            self.room.load(self.asked, map(said, ids))
            self.asked = None
            self.come(before)

    @rule()
    def fetch(self) -> None:
        for _ in range(20):
            self.ask()
            if self.asked is None:
                return
            self.answer()
        raise AssertionError("it never has enough")

    @rule()
    def notice(self) -> None:
        before = self.stays()
        self.room.show([shown("a notice")])
        self.come(before)

    @rule(joined=st.lists(st.sampled_from("abc")), left=st.lists(st.sampled_from("abc")))
    def people(self, joined: list[str], left: list[str]) -> None:
        before = self.stays()
        self.room.come_and_go(joined, left)
        self.come(before)

    @rule(first=st.integers(1, 80))
    def prune(self, first: int) -> None:
        self.first = min(max(self.first, first), self.last + 1)

    @rule()
    def reconnect(self) -> None:
        before = self.stays()
        self.asked = None
        self.room.open(self.first, self.last)
        self.come(before if self.first <= min(before, default=(0, 0))[0] - 20 else {})

    @rule(by=st.sampled_from([-10, -9, -3, -1, 1, 3, 9]))
    def scroll(self, by: int) -> None:
        self.view.scroll(by)
        self.come(self.stays())

    @rule(id=st.integers(0, 100), part=st.integers(-2, 3))
    def jump(self, id: int, part: int) -> None:
        self.room.look_at((min(id, self.room.last_id), part))
        self.view.refresh(self.size)

    @rule()
    def end(self) -> None:
        self.room.follow()
        self.view.refresh(self.size)

    @rule()
    def type(self) -> None:
        self.room.sent(self.room.type("mine", NOON, "ann"), self.last + 1)
        self.view.refresh(self.size)

    @rule(columns=st.integers(8, 60), rows=st.integers(1, 20))
    def resize(self, columns: int, rows: int) -> None:
        self.size = columns, rows
        self.view.refresh(self.size)

    @invariant()
    def in_order_and_none_twice(self) -> None:
        rows = list(self.room.rows.newer((-1, -UNSENT)))
        positions = [position for position, _ in rows]
        assert positions == sorted(set(positions))
        assert list(self.room.rows.older((UNSENT, UNSENT))) == rows[::-1]
        covered = [self.room.history.first_id - 1]
        for (id, part), line in rows:
            assert self.room.rows[(id, part)] == line
            if line.kind is Kind.ABSENT:
                gap = self.room.history.gap(id)
                assert gap.first == covered[-1] + 1
                covered.append(gap.last)
            elif line.kind is Kind.TALK and part == 0:
                assert (id, line.text.split()[0]) == (covered[-1] + 1, f"m{id}")
                covered.append(id)
        assert covered[-1] == self.room.last_id

    @invariant()
    def bounded(self) -> None:
        ids = range(self.room.history.first_id, self.room.last_id + 1)
        assert sum(self.room.history.get(id) is not None for id in ids) <= 60

    @invariant()
    def on_the_screen(self) -> None:
        placed = self.view.placed
        rows = self.size[1]
        for above, below in pairwise(placed):
            assert above.bottom == below.top
        assert all(line.bottom > 0 and line.top < rows for line in placed)
        assert not any(line.is_gap for line in placed[1:-1])
        if placed[0].top > 0:
            assert placed[0].is_gap
        if placed[-1].bottom < rows:
            assert placed[-1].is_gap or self._all_seen(placed)
        if self.room.follows:
            assert placed[-1].position == self.room.rows.end
        assert len(self.view.render(self.size).text) == rows

    def _all_seen(self, placed: list[Placed]) -> bool:
        return placed[0].top == 0 and placed[-1].position == self.room.rows.end


Anything.TestCase.settings = settings(max_examples=15, stateful_step_count=30, deadline=None)
WhateverComes = Anything.TestCase
