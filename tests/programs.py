"""Programs of other people that tests start."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn
from unittest import SkipTest

_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/libexec"])


def program(name: str, package: str) -> str:
    """Return the path of a program.

    Where it is missing the test is left out, but fails where the environment has ``CI`` set.
    """
    path = shutil.which(name, path=_PATH)
    if path is None:
        leave_out(f"{name} is not installed: apt-get install --no-install-recommends {package}")
    return path


def unless_left_out(what: str) -> None:
    """Leave the test out, also where ``CI`` is set, if ``what`` is known to be missing: $LEFT_OUT names it."""
    if what in os.environ.get("LEFT_OUT", "").split():
        raise SkipTest(f"$LEFT_OUT names {what}")


def leave_out(reason: str) -> NoReturn:
    """Leave the test out for ``reason``: SkipTest, or AssertionError where the environment has ``CI`` set."""
    assert "CI" not in os.environ, reason
    raise SkipTest(reason)
