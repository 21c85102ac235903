"""The goals, and whether results reach them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from bench.results import Results, Spread

OTHERS: Final = ("naive", "redis", "nats", "ngircd", "inspircd")
RATES: Final = (20.0, 100.0, 1000.0)  # messages a second
IDLE: Final = 0.02  # of a core: no processor time to speak of


class Goal(NamedTuple):
    """What is wanted, what was found, and whether that is enough; None where it was not measured."""

    what: str
    wanted: str
    found: str
    reached: bool | None


def goals(results: Results) -> Iterator[Goal]:
    """Yield all of them."""
    for receivers, size, least in ((1000, 100, 4.0), (10_000, 100, 6.0), (1000, 10_000, 2.0)):
        found = results.ratio("fanout", "chat", OTHERS, "rate", receivers=receivers, size=size)
        yield _at_least(f"(a) {receivers:,} receivers, {_size(size)}, to the best of the others", found, least, "×")
    memory = results.ratio("fanout", "chat", ["redis"], "memory", receivers=1000, size=100)
    yield _at_most("(a) memory at that, to redis'", memory, 0.1, "×")
    for rate in RATES:
        for figure in ("p50", "p99"):
            yield from _latency(results, rate, figure)
    for rate in RATES[1:]:
        cpu = results.ratio("latency", "chat", ["ngircd"], "cpu", receivers=1000, rate=rate)
        yield _at_most(f"(b) processor time of a delivery at {rate:.0f}/s, to ngircd's", cpu, 1.0, "×")
    for server, name, least in (("chat", "SQLite", 60_000), ("chat-mariadb", "MariaDB", 40_000)):
        rate_found = results.spread("ingest", server, "rate", messages=200_000)
        yield _at_least(f"(c) messages a second on {name}, acknowledged", rate_found, least)
    yield _at_most("(d) 5,000 log in at once", results.spread("logins", "chat", "seconds", clients=5000), 3.0, " s")
    page = results.spread("history", "chat", "p99", messages=10_000_000, clients=200)
    yield _at_most("(e) first page, p99", page, 50.0, " ms")
    idle = {"clients": 10_000}
    yield _at_most("(f) memory of a client", results.spread("idle", "chat", "bytes", **idle), 4096.0, " bytes")
    yield _at_most("(f) of a core, with 10,000 idle", results.spread("idle", "chat", "core", **idle), IDLE)
    yield _at_least("(g) with a tenth more that are stuck, to without", _with_stuck(results), 0.9, "×")
    yield _at_least("(h) messages a second", results.spread("rooms", "chat", "rate", rooms=1000), 40_000)


def _latency(results: Results, rate: float, figure: str) -> Iterator[Goal]:
    given: dict[str, Any] = {"receivers": 1000, "rate": rate}
    ours = results.spread("latency", "chat", figure, **given)
    redis = results.spread("latency", "redis", figure, **given)
    commit = results.spread("commits", "chat", figure)
    if redis and commit:
        yield _at_most(f"(b) {figure} at {rate:.0f}/s", ours, redis.middle + commit.middle, " ms", "redis + a commit: ")
    rest = [it for name in ("nats", "ngircd", "inspircd") if (it := results.spread("latency", name, figure, **given))]
    if rest:
        least = min(spread.middle for spread in rest)
        yield _at_most(f"(b) {figure} at {rate:.0f}/s", ours, least, " ms", "the best of IRC and NATS: ")


def _with_stuck(results: Results) -> Spread | None:
    without, stuck = (results.rounds("stuck", "chat", "rate", receivers=900, stuck=number) for number in (0, 100))
    return Spread.of(stuck[number] / without[number] for number in without if number in stuck)


def _at_least(what: str, found: Spread | None, least: float, unit: str = "") -> Goal:
    return Goal(what, f"≥ {number(least)}{unit}", told(found, unit), found.middle >= least if found else None)


def _at_most(what: str, found: Spread | None, most: float, unit: str = "", why: str = "") -> Goal:
    return Goal(what, f"{why}≤ {number(most)}{unit}", told(found, unit), found.middle <= most if found else None)


def told(found: Spread | None, unit: str = "") -> str:
    """Return a spread as people read it."""
    if found is None:
        return "not measured"
    around = f" ({number(found.low)}–{number(found.high)})" if found.low != found.high else ""
    return f"{number(found.middle)}{unit}{around}"


def number(value: float) -> str:
    """Return three digits of a number that are worth reading, or all of those before the point."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _size(size: int) -> str:
    return f"{size} B" if size < 1000 else f"{size // 1000} kB"
