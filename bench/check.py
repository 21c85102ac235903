"""`make bench-check`: how much better than the naive server; it fails where that has fallen by more than a quarter.

`bench/baseline.json` holds the ratios as they were, which is about the same on any machine. `--short` takes half a
minute and only tells; `--write` makes what is found the new baseline.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final, NamedTuple

from bench.goals import told
from bench.results import Results, Spread
from tests.processes import ROOT

BASELINE: Final = ROOT / "bench" / "baseline.json"
LOST: Final = 0.75  # of a ratio; what is below it is not noise


class Ratio(NamedTuple):
    """A figure of which less is better, to be compared with the naive server's."""

    name: str
    work: str
    figure: str
    given: dict[str, Any]


# Mostly processor time, which a machine that is busy with other things changes least.
RATIOS: Final = (
    Ratio("processor time of a delivery, saturated, to 1,000", "fanout", "cpu", {"receivers": 1000, "size": 100}),
    Ratio("processor time of a delivery, saturated, to 100", "fanout", "cpu", {"receivers": 100, "size": 100}),
    Ratio("processor time of a delivery at 100/s", "latency", "cpu", {"receivers": 1000, "rate": 100.0}),
    Ratio("p50 at 100/s", "latency", "p50", {"receivers": 1000, "rate": 100.0}),
)
COMMANDS: Final = ("fanout --receivers 1000", "fanout --receivers 100", "latency --rates 100 --seconds 4")
SHORT: Final = ("fanout --receivers 1000", "latency --rates 100 --seconds 2")


def main() -> None:
    """Measure, compare, and tell."""
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--short", action="store_true", help="one round of less, and no failure")
    flags.add_argument("--write", action="store_true", help="write what is found into bench/baseline.json")
    given = flags.parse_args()
    found = measure(SHORT, 1) if given.short else measure(COMMANDS, 5)
    if given.write:
        BASELINE.write_text(json.dumps({name: round(it.middle, 2) for name, it in found.items()}, indent=2) + "\n")
    fallen = compare(found, json.loads(BASELINE.read_text()))
    if fallen and not given.short:
        sys.exit(f"worse than it was: {', '.join(fallen)}; look for what has changed, or, if that is meant, --write")


def measure(commands: tuple[str, ...], rounds: int) -> dict[str, Spread]:
    """Return the ratios that these measurements give, by name."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "results.jsonl")
        for command in commands:
            more = ["--servers", "chat,naive", "--rounds", str(rounds), "--results", str(file)]
            subprocess.run([sys.executable, "-m", *f"bench.{command}".split(), *more], check=True, cwd=ROOT)
        results = Results.read(file)
    return {ratio.name: found for ratio in RATIOS if (found := better(results, ratio)) is not None}


def better(results: Results, ratio: Ratio) -> Spread | None:
    """Return how many times better than naive ours is."""
    return results.ratio(ratio.work, "naive", ["chat"], ratio.figure, **ratio.given)


def compare(found: dict[str, Spread], baseline: dict[str, float]) -> list[str]:
    """Print each ratio beside what it was; return the names of what fell by more than a quarter or is not there."""
    fallen = []
    for name, was in baseline.items():
        now = found.get(name)
        print(f"{name}: {told(now)}, was {was}, times better than naive")
        if now is None or now.middle < LOST * was:
            fallen.append(name)
    return fallen


if __name__ == "__main__":
    main()
