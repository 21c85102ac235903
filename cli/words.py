"""Times, sizes and the like in words for a person."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from difflib import get_close_matches


def clock(at: float) -> str:
    """Return ``at`` (seconds since the epoch) as local time: ``12:03``."""
    try:
        return f"{datetime.fromtimestamp(at):%H:%M}"
    except (ValueError, OverflowError, OSError):  # a server may claim any time
        return "--:--"


def day(at: float) -> date | None:
    """Return the local day of ``at`` (seconds since the epoch), None where there is none so far away."""
    try:
        return datetime.fromtimestamp(at).date()
    except (ValueError, OverflowError, OSError):
        return None


def amount(size: int) -> str:
    """Return ``size`` (bytes) for a person: ``3.2 MB``."""
    if size == 1:
        return "1 byte"
    number = float(size)
    for unit in ("bytes", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.4g} TB"


def counted(number: int, what: str) -> str:
    """Return how many there are of ``what``: ``1 line``, ``3 lines``."""
    return f"{number} {what}{'s' * (number != 1)}"


def nearest(name: str, there_are: Iterable[str]) -> str | None:
    """Return which of those that ``there_are`` was probably meant by ``name``, which is none of them."""
    return next(iter(get_close_matches(name.replace("_", "-").lower(), list(there_are), 1)), None)


def meant(name: str, there_are: Iterable[str], otherwise: str) -> str:
    """Return what to tell somebody who wrote ``name``: what was probably meant, or else ``otherwise``."""
    near = nearest(name, there_are)
    return f"do you mean {near}?" if near else otherwise


def line_count(text: str) -> int:
    """Return how many lines ``text`` has; a newline at its end begins none."""
    return text.count("\n") + (not text.endswith("\n"))
