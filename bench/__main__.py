"""Everything that `make bench` and `make bench-full` measure, one command after the other, and the page made of it."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from bench import report, runs

BUILD: Final = Path("build/bench")
PLAN: Final = (  # what the goals are about
    "ceiling",
    "commits",
    "fanout --receivers 1000 --size 100",
    "fanout --receivers 10000 --size 100 --servers chat,redis,nats",
    "fanout --receivers 1000 --size 10000",
    "latency --rates 20 100 1000 --seconds 2 --servers chat,redis,nats,ngircd,inspircd",
    "ingest",
    "logins --servers chat",
    "history",
    "idle --servers chat --rounds 1",
    "stuck --servers chat",
    "rooms --servers chat",
)
FULL: Final = (  # and what else there is to know
    "fanout --receivers 10000 --size 100 --servers naive",
    *(f"fanout --receivers {receivers} --size 100" for receivers in (1, 10, 100)),
    *(f"fanout --receivers {receivers} --size 10000" for receivers in (1, 10, 100, 10000)),
    "latency --rates 20 100 1000 --seconds 20",
    "logins --servers chat-mariadb",
    "idle --servers naive,redis,nats --rounds 1",
    "stuck --servers naive,redis,nats,ngircd,inspircd",
    "rooms --servers redis,nats,ngircd,inspircd",
)
TOLD: Final = (
    "content --size 512 --each 16",
    "search",
    "cluster",
    "restart",
    "terminal",
)  # these tell what they find in their own words


def main() -> None:
    """Measure what the flags say, then write the page."""
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("--full", action="store_true", help="everything, for an hour; else what the goals are about")
    given = flags.parse_args()
    BUILD.mkdir(parents=True, exist_ok=True)
    results = BUILD / "results.jsonl"
    results.unlink(missing_ok=True)
    runs.keep(results, work="machine", load=os.getloadavg()[0])
    began = time.monotonic()
    for command in (*PLAN, *FULL) if given.full else PLAN:
        if run(command, f"--results={results}") is None:
            runs.keep(results, work=command, server="", broken="did not come to its end")
    for command in TOLD if given.full else ():
        (BUILD / f"{command.split()[0]}.txt").write_text(run(command) or "It did not come to its end.")
    report.write(results)
    print(f"measured within {(time.monotonic() - began) / 60:.0f} minutes; see docs/benchmarks.md")


def run(command: str, *more: str) -> str | None:
    """Run one measurement, show what it says, and return that; None where it fails."""
    print(f"\npython -m bench.{command}", flush=True)
    began = time.monotonic()
    said = []
    with subprocess.Popen(
        [sys.executable, "-m", *shlex.split(f"bench.{command}"), *more], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            said.append(line)
    print(f"took {time.monotonic() - began:.0f} s", flush=True)
    return None if process.returncode else "".join(said)


if __name__ == "__main__":
    main()
