"""The log: whatever is in an event, it is one line, and moves no cursor."""

from __future__ import annotations

import json
from unittest import TestCase

from server.logs import json_line, text_line
from tests.attacks import ATTACKS


class LineTests(TestCase):
    def event(self, user: str) -> dict[str, object]:
        return {"log_format": "{user} is here", "log_time": 0.0, "user": user}

    def test_nothing_that_is_told_leaves_its_line(self) -> None:
        for name, attack in ATTACKS.items():
            line = text_line(self.event(attack))
            self.assertEqual(line.count("\n"), 1, name)
            self.assertEqual(len(line.splitlines()), 1, name)
            self.assertNotRegex(line[:-1], "[\x00-\x1f\x7f-\x9f]", name)

    def test_in_json_neither(self) -> None:
        for name, attack in ATTACKS.items():
            if not any("\ud800" <= character < "\ue000" for character in attack):  # no text, and nobody's name
                line = json_line(self.event(attack))
                self.assertEqual(line.count("\n"), 1, name)
                self.assertEqual(json.loads(line)["user"], attack, name)
                self.assertNotRegex(line[:-1], "[\x00-\x1f]", name)

    def test_what_looks_like_a_format_is_none(self) -> None:
        self.assertIn("{log_source} %s is here", text_line(self.event("{log_source} %s")))
