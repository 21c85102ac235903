"""The server on a machine whose clock steps back and forth by days, every few tenths of a second."""

from __future__ import annotations

import time
from collections.abc import Callable

DAY = 86_400.0  # seconds
STEP = 0.3  # seconds between two steps

_true: Callable[[], float] = time.time


def jumping() -> float:
    """Return the time, ahead or behind by days: what ``time.time`` is from now on."""
    now = _true()
    return now + DAY * (0, 1, -1, 30, -2, 0, -400)[int(now / STEP) % 7]


time.time = jumping

from server.main import main  # noqa: E402

main()
