"""The status line, as it is drawn and clicked on."""

from __future__ import annotations

from unittest import TestCase

from cli.screen.columns import width_of
from cli.screen.conversation import Conversation
from cli.screen.highlights import Highlights
from cli.screen.statusline import StatusLine
from cli.status import State
from tests.cli.screen.made import NOON, message, status


class Clicked(TestCase):
    def setUp(self) -> None:
        self.conversation = Conversation("ann", ["lobby", "谢谢", "ops", "dev"], Highlights(["ann"]))
        self.conversation.tell(status(State.LIVE))
        self.conversation.add(message(1, "ann!", room="谢谢"))
        self.line = StatusLine(self.conversation)

    def drawn(self) -> str:
        self.line.refresh(NOON, rooms=True)
        [line] = self.line.render((80,)).text
        return line.decode().rstrip()

    def click(self, where: str, event: str = "mouse press", button: int = 1) -> str:
        """Return the room that is shown when the beginning of ``where`` was clicked on."""
        before, _, _ = self.drawn().partition(where)
        self.line.mouse_event((80,), event, button, width_of(before), 0, False)
        return self.conversation.current.name

    def test_each_room_by_its_name_and_its_counts(self) -> None:
        self.assertEqual(self.drawn(), "live · [1:lobby] 2:谢谢(1!) 3:ops 4:dev · ann")
        for where, shown in (("3:ops", "ops"), ("dev", "dev"), ("1!", "谢谢"), ("谢", "谢谢"), ("1:lobby", "lobby")):
            self.assertEqual(self.click(where), shown, where)

    def test_what_is_no_room_and_no_click(self) -> None:
        for where in ("live", "[", " 3:ops", "ann", "not there"):
            self.assertEqual(self.click(where), "lobby", where)
        self.assertEqual(self.click("3:ops", "mouse release"), "lobby")
        self.assertEqual(self.click("3:ops", button=3), "lobby")
