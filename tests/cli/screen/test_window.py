"""The whole screen, without a terminal."""

from __future__ import annotations

import os
import tempfile
from typing import cast
from unittest import TestCase
from unittest.mock import patch

from twisted.internet.task import Clock

from cli.screen.highlights import Highlights
from cli.screen.modes import Word
from cli.screen.talk import Talk
from cli.screen.window import Window
from cli.screen.writing import Writing
from cli.settings import Settings
from tests.cli.screen.made import message
from tests.cli.screen.test_writing import Talking

SIZE = 40, 10


class Screen(TestCase):
    def setUp(self) -> None:
        state = self.enterContext(tempfile.TemporaryDirectory())
        self.enterContext(patch.dict(os.environ, XDG_STATE_HOME=state))
        self.talk = Talking()
        self.talk.conversation.highlights = self.highlights = Highlights([])
        self.settings = Settings()
        self.writing = Writing(cast(Talk, self.talk), Clock())
        self.window = Window(self.talk.conversation, self.writing, self.talk.keys, self.settings, lambda: None)

    def drawn(self) -> tuple[list[str], set[str]]:
        """Return the rows, and which styles there are."""
        self.window.refresh(SIZE, 0)
        canvas = self.window.render(SIZE, True)
        return [row.decode() for row in canvas.text], {str(style) for row in canvas.content() for style, _, _ in row}

    def test_a_long_prompt_leaves_the_input_on_the_screen(self) -> None:
        self.writing.let(Word("beginning " + "and more " * 300))
        rows, _ = self.drawn()
        self.assertTrue(rows[-4].startswith("beginning and"), rows)
        self.assertTrue(rows[-1].startswith(">"), rows)

    def test_what_is_a_mention_changes(self) -> None:
        self.talk.conversation.add(message(1, "we deploy"))
        self.drawn()
        self.highlights.take(["deploy"])
        self.settings.change("highlight", ["deploy"])
        self.assertIn("highlight", str(self.drawn()[1]))

    def test_a_click_on_a_room_in_the_status_line(self) -> None:
        self.talk.conversation.room("dev")
        rows, _ = self.drawn()
        self.window.mouse_event(SIZE, "mouse press", 1, rows[8].index("2:dev"), 8, True)
        self.assertEqual(self.talk.conversation.current.name, "dev")
