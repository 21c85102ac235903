"""The order in which tests run."""

from __future__ import annotations

import pytest
from _pytest.unittest import TestCaseFunction

# What takes longest: begun last, it would be waited for when all else has ended.
LONG = (
    "test_containers",
    "test_galera",
    "test_killed_server",
    "test_operator",
    "test_cluster",
    "test_killed_database",
    "test_watched_screen",
    "test_races",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have TestCases run first: the reactor that pytest-twisted starts for a function is not theirs."""
    items.sort(key=lambda item: (not isinstance(item, TestCaseFunction), _place(item)))


def _place(item: pytest.Item) -> int:
    return LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG)
