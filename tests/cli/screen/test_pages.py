"""Messages fetched as they are looked at, without a server."""

from __future__ import annotations

from typing import cast
from unittest import TestCase

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from cli.client import Client
from cli.inbox import Message
from cli.refusals import AskRefused
from cli.screen.conversation import Conversation
from cli.screen.highlights import Highlights
from cli.screen.pages import PAUSE, Pages
from cli.status import State
from tests.cli.screen.made import message, status, texts


class AskedClient:
    """Keeps the questions, to be answered by hand."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int, int | None]] = []
        self.answers: list[Deferred[list[Message]]] = []

    def history(self, room: str, limit: int, before: int | None) -> Deferred[list[Message]]:
        self.asked.append((room, limit, before))
        self.answers.append(Deferred())
        return self.answers[-1]


class Fetched(TestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.conversation = Conversation("ann", ["lobby", "dev"], Highlights([]))
        self.conversation.status = status(State.LIVE)
        self.lobby, self.dev = self.conversation.rooms
        self.lobby.open(1, 300)
        self.client = AskedClient()
        self.changes = 0
        self.failures: list[Failure] = []
        client = cast(Client, self.client)
        self.pages = Pages(self.clock, client, self.conversation, self.change, self.failures.append)

    def tearDown(self) -> None:
        self.assertEqual(self.failures, [])

    def change(self) -> None:
        self.changes += 1

    def fetch(self) -> None:
        self.pages.fetch()

    def test_one_question_at_a_time_in_each_room(self) -> None:
        self.fetch()
        self.fetch()
        self.assertEqual(self.client.asked, [("lobby", 100, 301)])
        self.dev.open(1, 40)
        self.fetch()
        self.assertEqual(self.client.asked[1:], [("dev", 40, 41)])
        self.client.answers[0].callback([message(id) for id in range(201, 301)])
        self.assertEqual(self.changes, 1)
        self.fetch()
        self.assertEqual(self.client.asked[2:], [("lobby", 100, 201)])
        self.client.answers[2].callback([message(id) for id in range(101, 201)])
        self.fetch()
        self.assertEqual(len(self.client.asked), 3)

    def test_offline_it_says_so_and_asks_when_it_is_back(self) -> None:
        self.conversation.status = status(State.LOST)
        self.fetch()
        self.assertEqual((self.client.asked, texts(self.lobby)[1]), ([], "… 300 messages: not loaded, offline"))
        self.conversation.status = status(State.BEHIND)
        self.fetch()
        self.assertEqual((len(self.client.asked), texts(self.lobby)[1]), (1, "… 300 messages: loading"))
        self.client.answers[0].errback(ConnectionLost())
        self.fetch()
        self.assertEqual(len(self.client.asked), 2)

    def test_what_is_refused_is_said_and_tried_again(self) -> None:
        self.fetch()
        self.client.answers[0].errback(AskRefused("storage_down", "the database is away"))
        self.fetch()
        self.assertEqual(len(self.client.asked), 1)
        self.assertEqual(texts(self.lobby)[1], "… 300 messages: not loaded, the database is away")
        changes = self.changes
        self.clock.advance(PAUSE)
        self.assertEqual(self.changes, changes + 1)
        self.fetch()
        self.assertEqual((len(self.client.asked), texts(self.lobby)[1]), (2, "… 300 messages: loading"))
