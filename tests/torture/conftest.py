"""The figures are printed together at the end of a run (for ``make torture``; parallel runs keep theirs)."""

from __future__ import annotations

import pytest

from tests.torture.case import FIGURES


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if FIGURES:
        terminalreporter.section("figures")
        for line in FIGURES:
            terminalreporter.write_line(line)
