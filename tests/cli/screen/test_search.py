"""The walk through what a search finds, without a terminal and a server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from unittest import TestCase

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.python.failure import Failure

from cli.refusals import AskRefused
from cli.screen.commands import Commands
from cli.screen.conversation import Conversation
from cli.screen.highlights import Highlights
from cli.screen.paste import Pasted
from cli.screen.search import HITS, Search
from cli.screen.talk import Talk
from cli.session import Found
from tests.cli.screen.made import message


class Asked:
    """The part of :class:`Talk` and of the client that a search needs; questions are answered by hand."""

    def __init__(self) -> None:
        self.commands = Commands()
        self.conversation = Conversation("ann", ["lobby", "dev"], Highlights([]))
        self.conversation.current.open(1, 1000)
        self.typed = ""
        self.said: list[str] = []
        self.asked: list[tuple[str, str, int, int | None]] = []
        self.answers: list[Deferred[Found]] = []
        self.failures: list[Failure] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def changed(self) -> None:
        pass

    def failed(self, failure: Failure) -> None:
        self.failures.append(failure)

    def when_there(self, act: Callable[[Any], object]) -> None:
        act(self)

    def search(self, room: str, query: str, limit: int, before: int | None) -> Deferred[Found]:
        self.asked.append((room, query, limit, before))
        self.answers.append(Deferred())
        return self.answers[-1]


class Walks(TestCase):
    def setUp(self) -> None:
        self.talk = Asked()
        self.room = self.talk.conversation.current
        self.search = Search(cast(Talk, self.talk))

    def tearDown(self) -> None:
        self.assertEqual(self.talk.failures, [])

    def begin(self, words: str) -> None:
        command = self.talk.commands.get("search")
        assert command is not None
        command.run(words)

    def answer(self, *ids: int, before: int | None = None) -> None:
        self.talk.answers[-1].callback(Found([message(id) for id in ids], before))

    @property
    def told(self) -> str:
        return self.talk.conversation.search

    def test_to_older_ones_and_back(self) -> None:
        self.begin(" some words ")
        self.assertEqual(self.talk.asked, [("lobby", "some words", HITS, None)])
        self.assertEqual(self.told, "searching for some words, Esc ends")
        self.answer(100, 500, 900)
        self.assertEqual((self.told, self.room.looked_at), ("hit 1 of 3 for some words, n N Esc", (900, 0)))
        self.assertFalse(self.room.follows)
        self.assertEqual(self.room.hits, {100, 500, 900})
        self.assertTrue(self.search.take("n"))
        self.assertEqual((self.told, self.room.looked_at), ("hit 2 of 3 for some words, n N Esc", (500, 0)))
        self.assertTrue(self.search.take("nnn"))  # pressed quickly, and beyond the last
        self.assertEqual(self.room.looked_at, (100, 0))
        self.assertTrue(self.search.take("NNNN"))
        self.assertEqual((self.told, self.room.looked_at), ("hit 1 of 3 for some words, n N Esc", (900, 0)))

    def test_more_are_asked_for(self) -> None:
        self.begin("x")
        self.answer(800, 900, before=700)
        self.assertEqual(self.told, "hit 1 of 2+ for x, n N Esc")
        self.search.take("nn")
        self.assertEqual(self.talk.asked[-1], ("lobby", "x", HITS, 700))
        self.search.take("n")  # while it asks
        self.answer(before=400)  # looked at some, found none: goes on by itself
        self.assertEqual(self.talk.asked[-1], ("lobby", "x", HITS, 400))
        self.answer(300)
        self.assertEqual((self.told, self.room.looked_at), ("hit 3 of 3 for x, n N Esc", (300, 0)))

    def test_an_answer_that_leads_nowhere_is_the_last(self) -> None:
        self.begin("x")
        self.answer(900, before=700)
        self.search.take("n")
        self.answer(900, before=700)
        self.assertEqual((self.told, self.room.looked_at), ("hit 1 of 1 for x, n N Esc", (900, 0)))

    def test_what_is_typed_ends_it(self) -> None:
        for key in ("esc", Pasted("a"), Pasted("no")):
            self.begin("x")
            self.answer(900)
            taken = self.search.take(key)
            self.assertEqual((taken, self.told, self.room.hits), (key == "esc", "", frozenset()), key)
            self.assertFalse(self.search.take("n"))
        self.begin("x")
        self.answer(900)
        self.talk.typed = "half a lin"
        self.assertFalse(self.search.take("n"))

    def test_other_keys_do_what_they_do(self) -> None:
        self.begin("x")
        self.answer(800, 900)
        self.assertFalse(self.search.take("page up"))
        self.assertTrue(self.search.take("n"))

    def test_in_another_room_it_is_over(self) -> None:
        self.begin("x")
        self.answer(800, 900)
        self.talk.conversation.turn(1)
        self.assertFalse(self.search.take("n"))
        self.assertEqual(self.told, "")

    def test_given_up(self) -> None:
        self.begin("x")
        self.search.take("esc")
        self.assertTrue(self.talk.answers[0].called)
        self.assertEqual((self.told, self.room.follows), ("", True))
        self.begin("y")
        self.begin("z")
        self.assertIn("z", self.told)

    def test_nothing(self) -> None:
        self.begin("x")
        self.answer()
        self.begin("")
        self.assertEqual(self.talk.said, ["nothing found for x", "say which WORDS: /search WORDS"])
        self.assertEqual((self.told, self.room.follows), ("", True))

    def test_what_cannot_be(self) -> None:
        for why, said in (
            (AskRefused("forbidden", "you may not search here"), "no search: you may not search here"),
            (ConnectionLost(), "no search: there is no connection; try again once it is live"),
        ):
            self.begin("x")
            self.talk.answers[-1].errback(why)
            self.assertEqual((self.talk.said[-1], self.told), (said, ""))
