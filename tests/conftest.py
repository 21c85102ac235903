"""Tests that are TestCases run first: the reactor that pytest-twisted starts for a function is not theirs."""

from __future__ import annotations

import pytest
from _pytest.unittest import TestCaseFunction


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not isinstance(item, TestCaseFunction))
