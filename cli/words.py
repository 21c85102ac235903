"""Times and sizes in words for a person."""

from __future__ import annotations

from datetime import date, datetime


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


def line_count(text: str) -> int:
    """Return how many lines ``text`` has; a newline at its end begins none."""
    return text.count("\n") + (not text.endswith("\n"))
