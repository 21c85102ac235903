"""The page of the benchmarks, and its pictures, from the results: `python -m bench.report`."""

from __future__ import annotations

import platform
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench.goals import goals, number, told
from bench.peers import ALL, Missing
from bench.plot import bars
from bench.results import Results
from tests.processes import ROOT

RESULTS: Final = Path("build/bench/results.jsonl")
PAGE: Final = ROOT / "docs" / "benchmarks.md"
PICTURES: Final = ROOT / "docs" / "pictures"
BUSY: Final = 0.5  # load average
NOTES: Final = ROOT / "bench" / "notes.md"  # written by hand: what the time is spent on

WORKS: Final = {
    "fanout": "(a) Saturated fan-out",
    "latency": "(b) Latency",
    "ingest": "(c) Ingest",
    "logins": "(d) Login storm",
    "history": "(e) History",
    "idle": "(f) Idle clients",
    "stuck": "(g) Stuck readers",
    "rooms": "(h) Many rooms",
    "commits": "One commit",
    "ceiling": "The load alone",
}
COLUMNS: Final = {  # how figures are called, and what they are multiplied with
    "rate": ("a second", 1.0),
    "cpu": ("processor µs of each", 1e6),
    "memory": ("memory, MiB", 2**-20),
    "before": ("memory without, MiB", 2**-20),
    "bytes": ("bytes of a client", 1.0),
    "core": ("% of a core", 100.0),
    "seconds": ("seconds", 1.0),
    "p50": ("p50, ms", 1.0),
    "p99": ("p99, ms", 1.0),
    "p99.9": ("p99.9, ms", 1.0),
}
PLOTTED: Final[tuple[tuple[str, str, dict[str, Any], str, str], ...]] = (
    ("fanout", "rate", {"receivers": 1000, "size": 100}, "Deliveries a second, 1,000 receivers, 100 bytes", "{:,.0f}"),
    ("fanout", "rate", {"receivers": 10_000, "size": 100}, "Deliveries a second, 10,000 receivers", "{:,.0f}"),
    ("latency", "p99", {"receivers": 1000, "rate": 100.0}, "p99 at 100 messages a second, ms", "{:.1f}"),
    ("latency", "cpu", {"receivers": 1000, "rate": 100.0}, "Processor seconds of a delivery at 100/s", "{:.2e}"),
)


def write(results_file: Path) -> None:
    """Write the page and its pictures."""
    results = Results.read(results_file)
    PAGE.write_text("\n".join(page(results)) + "\n")
    for _, file, picture in _pictures(results):
        (PICTURES / file).write_text(picture)


def page(results: Results) -> Iterator[str]:
    """Yield the lines of the page."""
    yield "# Benchmarks"
    yield ""
    yield (
        "Written by `make bench` or `make bench-full`; `bench/` says how each is measured. Medians of rounds in which"
        " the servers take turns, and in brackets the least and the most. **chat** is Console Chat with its defaults:"
        " each message is committed and synced before anyone sees it. The others keep nothing."
    )
    yield ""
    yield from _machine()
    if results.load > BUSY:
        yield f"- **The machine had other work**, load {results.load:.1f} before the start: times and rates say little"
    yield from (f"- Not installed, so not measured: {missing}" for missing in results.missing)
    yield from (f"- Did not come to its end: {broken}" for broken in results.broken)
    yield from _goals(results)
    for title, file, _ in _pictures(results):
        yield from ["", f"![{title}](pictures/{file})"]
    for work, title in WORKS.items():
        if cases := results.cases(work):
            yield from ["", f"## {title}", "", _about(work)]
            for given in cases:
                yield from _table(results, work, given)
    yield from _told()
    if NOTES.exists():
        yield from ["", NOTES.read_text().rstrip()]


def _machine() -> Iterator[str]:
    cpu = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    cores = Path("/proc/cpuinfo").read_text().count("processor\t")
    commit = _said("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD")
    yield f"- {datetime.now(UTC):%Y-%m-%d}, commit {commit}"
    yield f"- {cores} cores, {cpu[1] if cpu else platform.machine()}; Linux {platform.release()}"
    yield f"- Python {platform.python_version()}; {', '.join(_versions())}"


def _versions() -> Iterator[str]:
    for server in ALL:
        if server.package:
            try:
                version = re.search(r"\d+\.\d+(\.\d+)?", _said(server.find(), "--version"))
            except Missing:
                continue
            yield f"{server.name} {version[0] if version else '?'}"


def _said(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip()


def _goals(results: Results) -> Iterator[str]:
    yield from ["", "## Goals", "", "| | wanted | found | |", "| --- | --- | --- | --- |"]
    for goal in goals(results):
        mark = {True: "reached", False: "**missed**", None: ""}[goal.reached]
        yield f"| {goal.what} | {goal.wanted} | {goal.found} | {mark} |"
    if results.missing:
        yield from ["", "A goal counts as reached only where all the others are installed."]


def _pictures(results: Results) -> Iterator[tuple[str, str, str]]:
    """Yield the title of each picture, the name of its file, and what is in it."""
    for work, figure, given, title, form in PLOTTED:
        names = results.servers(work, given)
        found = {name: it for name in names if (it := results.spread(work, name, figure, **given))}
        if found:
            yield title, f"bench-{work}-{figure}-{given['receivers']}.svg", bars(title, found, form)


def _about(work: str) -> str:
    """Return what the measurement's own module says of it."""
    text = (ROOT / "bench" / f"{work}.py").read_text().split('"""')[1]
    return re.sub(r"^Work \(.\): (.)", lambda found: found[1].upper(), " ".join(text.split()))


def _table(results: Results, work: str, given: dict[str, Any]) -> Iterator[str]:
    figures = [name for name in results.figures(work, given) if name in COLUMNS]
    yield from ["", f"`python -m bench.{work}{_flags(given)}`", ""]
    yield f"| | {' | '.join(COLUMNS[name][0] for name in figures)} |"
    yield f"| --- |{' --- |' * len(figures)}"
    for server in results.servers(work, given):
        cells = [_cell(results, work, server, name, given) for name in figures]
        yield f"| {server} | {' | '.join(cells)} |"


def _cell(results: Results, work: str, server: str, figure: str, given: dict[str, Any]) -> str:
    factor = COLUMNS[figure][1]
    spread = results.spread(work, server, figure, **given)
    return told(type(spread)(*(value * factor for value in spread)) if spread else None)


def _flags(given: dict[str, Any]) -> str:
    return "".join(
        f" --{name}s {number(value)}" if name == "rate" else f" --{name} {value}" for name, value in given.items()
    )


def _told() -> Iterator[str]:
    for file in sorted(RESULTS.parent.glob("*.txt")):
        yield from [
            "",
            f"## `python -m bench.{file.stem}`",
            "",
            _about(file.stem),
            "",
            "```",
            file.read_text().rstrip(),
            "```",
        ]


if __name__ == "__main__":
    write(RESULTS)
