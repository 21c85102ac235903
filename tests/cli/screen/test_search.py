"""The walk through what a search finds, without a terminal and a server."""

from __future__ import annotations

from typing import cast
from unittest import TestCase

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.python.failure import Failure

from cli.refusals import AskRefused
from cli.screen.commands import Commands
from cli.screen.conversation import Conversation
from cli.screen.highlights import Highlights
from cli.screen.keys import Keys
from cli.screen.modes import Mode, Word
from cli.screen.search import HITS, Search
from cli.screen.talk import Talk
from cli.session import Found
from tests.cli.screen.made import message


class Asked:
    """The parts of :class:`Talk`, of its writing and of the client that a search needs; answers come by hand."""

    def __init__(self) -> None:
        self.commands = Commands()
        self.keys = Keys()
        self.conversation = Conversation("ann", ["lobby"], Highlights([]))
        self.conversation.current.open(1, 1000)
        self.writing = self.client = self
        self.mode: Mode = Word("")
        self.said: list[str] = []
        self.asked: list[tuple[str, str, int, int | None]] = []
        self.answers: list[Deferred[Found]] = []
        self.failures: list[Failure] = []

    def let(self, mode: Mode) -> None:
        self.mode = mode

    def say(self, text: str) -> None:
        self.said.append(text)

    def changed(self) -> None:
        pass

    def failed(self, failure: Failure) -> None:
        self.failures.append(failure)

    def search(self, room: str, query: str, limit: int, before: int | None) -> Deferred[Found]:
        self.asked.append((room, query, limit, before))
        self.answers.append(Deferred())
        return self.answers[-1]


class Walks(TestCase):
    def setUp(self) -> None:
        self.talk = Asked()
        self.room = self.talk.conversation.current
        Search(cast(Talk, self.talk))

    def tearDown(self) -> None:
        self.assertEqual(self.talk.failures, [])

    def begin(self, words: str) -> None:
        command = self.talk.commands.get("search")
        assert command is not None
        command.run(words)

    def answer(self, *ids: int, before: int | None = None) -> None:
        self.talk.answers[-1].callback(Found([message(id) for id in ids], before))

    def press(self, key: str) -> bool:
        return self.talk.mode.press(key)

    def seen(self) -> tuple[str, int]:
        """Return what is said above the input, but for the keys, and which message is gone to."""
        return self.talk.mode.prompt.partition(":")[0], self.room.looked_at[0]

    def test_to_older_ones_and_back(self) -> None:
        self.begin(" some words ")
        self.assertEqual(self.talk.asked, [("lobby", "some words", HITS, None)])
        self.assertEqual(self.talk.mode.prompt, "searching for some words: Esc ends")
        self.answer(100, 500, 900)
        self.assertEqual(self.seen(), ("hit 1 of 3 for some words", 900))
        self.assertFalse(self.room.follows)
        self.assertEqual(self.room.hits, {100, 500, 900})
        self.assertTrue(self.press("n"))
        self.assertEqual(self.seen(), ("hit 2 of 3 for some words", 500))
        self.assertTrue(self.press("nnn"))  # pressed quickly, and beyond the last
        self.assertEqual(self.seen(), ("hit 3 of 3 for some words", 100))
        self.assertTrue(self.press("NNNN"))
        self.assertEqual(self.seen(), ("hit 1 of 3 for some words", 900))

    def test_more_are_asked_for(self) -> None:
        self.begin("x")
        self.answer(800, 900, before=700)
        self.assertEqual(self.seen(), ("hit 1 of 2+ for x", 900))
        self.press("nn")
        self.assertEqual(self.talk.asked[-1], ("lobby", "x", HITS, 700))
        self.press("n")  # while it asks
        self.answer(before=400)  # looked at some, found none: goes on by itself
        self.assertEqual(self.talk.asked[-1], ("lobby", "x", HITS, 400))
        self.answer(300)
        self.assertEqual(self.seen(), ("hit 3 of 3 for x", 300))

    def test_an_answer_that_leads_nowhere_is_the_last(self) -> None:
        self.begin("x")
        self.answer(900, before=700)
        self.press("n")
        self.answer(900, before=700)
        self.assertEqual(self.seen(), ("hit 1 of 1 for x", 900))

    def test_what_is_typed_ends_it(self) -> None:
        for key in ("esc", "a", "no", "enter"):
            self.begin("x")
            self.answer(900)
            self.assertEqual(self.press(key), key == "esc")
            self.assertTrue(self.talk.mode.over)
            self.assertEqual(self.room.hits, frozenset())

    def test_one_looks_around_meanwhile(self) -> None:
        pressed: list[str] = []
        self.talk.keys.add("page-up", lambda: pressed.append("page-up"), "", "page up")
        self.talk.keys.add("other", lambda: pressed.append("other"), "", "ctrl o")
        self.begin("x")
        self.answer(800, 900)
        self.assertTrue(self.press("page up"))
        self.assertEqual((pressed, self.talk.mode.over), (["page-up"], False))
        self.assertFalse(self.press("ctrl o"))
        self.assertTrue(self.talk.mode.over)

    def test_given_up(self) -> None:
        self.begin("x")
        self.assertTrue(self.press("esc"))
        self.assertTrue(self.talk.answers[0].called)
        self.assertTrue(self.room.follows)

    def test_nothing(self) -> None:
        self.begin("x")
        self.answer()
        self.assertEqual(self.talk.mode.prompt, "nothing found for x")
        self.assertFalse(self.press("n"))
        self.begin("")
        self.assertEqual(self.talk.said, ["say which WORDS: /search WORDS"])
        self.assertTrue(self.room.follows)

    def test_what_could_not_be_and_can(self) -> None:
        self.begin("x")
        self.answer(800, 900, before=700)
        for key, seen in (("nn", "no search"), ("N", "hit 1 of 2+ for x"), ("nn", "searching for x")):
            self.press(key)
            if seen == "no search":
                self.talk.answers[-1].errback(ConnectionLost())
            self.assertEqual(self.seen()[0], seen)
        self.answer(600)
        self.assertEqual(self.seen(), ("hit 3 of 3 for x", 600))

    def test_what_cannot_be(self) -> None:
        for why, said in (
            (AskRefused("forbidden", "you may not search here"), "no search: you may not search here"),
            (ConnectionLost(), "no search: there is no connection; try again once it is live"),
        ):
            self.begin("x")
            self.talk.answers[-1].errback(why)
            self.assertEqual(self.talk.mode.prompt, said)
            self.assertFalse(self.press("n"))
