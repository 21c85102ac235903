"""``docs/security.md`` names a test for each threat, and each is there."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from unittest import TestCase

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "security.md").read_text()
ROWS = re.findall(r"^\| (\d+) \|(.+)\|(.*)\|(.*)\|$", PAGE, re.MULTILINE)


def is_there(name: str) -> bool:
    """Whether there is a module, a class or a test of that name."""
    module, *inner = re.split(r"\.(?=[A-Z])", name, maxsplit=1)
    found: object = import_module(module)
    for part in ".".join(inner).split("."):
        found = getattr(found, part, None) if part else found
    return found is not None


class SecurityTests(TestCase):
    def test_each_threat_has_its_tests(self) -> None:
        self.assertEqual([int(number) for number, *_ in ROWS], list(range(1, 33)))
        for _, threat, _, tests in ROWS:
            names = re.findall(r"`(tests\.[\w.]+)`", tests)
            self.assertTrue(names, threat)
            for name in names:
                self.assertTrue(is_there(name), name)

    def test_other_names_are_missed(self) -> None:
        self.assertFalse(is_there("tests.server.test_logs.LineTests.test_nothing"))
