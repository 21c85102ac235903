"""When the terminal rings."""

from __future__ import annotations

from unittest import TestCase

from twisted.internet.task import Clock

from cli.inbox import Message
from cli.screen.alerts import Alerts
from cli.screen.conversation import Conversation
from cli.screen.highlights import Highlights
from cli.settings import Settings
from tests.cli.screen.made import message


class Ringing(TestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.settings = Settings()
        self.conversation = Conversation("ann", ["lobby", "dev"], Highlights(["ann"]))
        for room in ("lobby", "dev"):
            self.conversation.opened(room, 1, 10)
        self.heard: list[object] = []
        self.alerts = Alerts(self.conversation, self.settings, self, self.clock.seconds)

    def ring(self) -> None:
        self.heard.append("ring")

    def notify(self, title: str, text: str, osc: int = 9) -> None:
        self.heard.append((osc, title, text))

    def hear(self, message: Message) -> list[object]:
        """Return what is heard of it, a while after what was before."""
        self.clock.advance(60)
        self.heard.clear()
        self.conversation.add(message)
        self.alerts.heard(message)
        return self.heard

    def test_mention(self) -> None:
        self.assertEqual(self.hear(message(11, "hi ann")), ["ring"])
        self.assertEqual(self.hear(message(12, "hi all")), [])
        self.assertEqual(self.hear(message(13, "i am ann", sender="ANN")), [])

    def test_who_speaks_to_one_alone(self) -> None:
        self.conversation.opened("@bob", 1, 10)
        self.assertEqual(self.hear(message(11, "hi", room="@bob")), ["ring"])
        self.assertEqual(self.hear(message(12, "hi", sender="ANN", room="@bob")), [])
        self.conversation.ignore("bob")
        self.assertEqual(self.hear(message(13, "hi", room="@bob")), [])

    def test_history_and_what_was_missed_is_silent(self) -> None:
        self.assertEqual(self.hear(message(10, "hi ann")), [])
        self.conversation.opened("lobby", 1, 20)
        self.assertEqual(self.hear(message(20, "ann?")), [])
        self.assertEqual(self.hear(message(21, "ann!")), ["ring"])

    def test_ignored(self) -> None:
        self.settings.alert = "all"
        self.conversation.ignore("bob")
        self.assertEqual(self.hear(message(11, "ann", room="dev")), [])

    def test_all_rooms(self) -> None:
        self.assertEqual(self.hear(message(11, "hi", room="dev")), [])
        self.settings.alert = "all"
        self.assertEqual(self.hear(message(12, "hi", room="dev")), ["ring"])
        self.assertEqual(self.hear(message(13, "hi", "ann", room="dev")), [])
        self.assertEqual(self.hear(message(11, "hi")), [])  # it is seen

    def test_not_too_often(self) -> None:
        self.hear(message(11, "ann"))
        for id, wait in ((12, 4.9), (13, 0.2), (14, 4.9)):
            self.clock.advance(wait)
            self.alerts.heard(message(id, "ann"))
        self.assertEqual(self.heard, ["ring", "ring"])

    def test_settings(self) -> None:
        self.settings.bell = False
        self.assertEqual(self.hear(message(11, "ann")), [])
        self.settings.notify = "osc9"
        self.assertEqual(self.hear(message(12, "hi ann")), [(9, "bob in lobby", "hi ann")])
        self.settings.notify = "osc777"
        self.assertEqual(self.hear(message(13, "ann " * 2000)), [(777, "bob in lobby", "ann " * 25)])

    def test_room_that_was_left(self) -> None:
        self.alerts.heard(message(11, "ann", room="nowhere"))
        self.assertEqual(self.heard, [])
