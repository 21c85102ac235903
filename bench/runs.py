"""What all measurements share: their flags, several servers in turns, and the results as lines of JSON."""

from __future__ import annotations

import argparse
import json
import resource
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Final

from bench.load import Broken, raise_limits
from bench.peers import ALL, Missing, Served

SPARE: Final = 500  # open files for all else

Figures = dict[str, float]
Round = Iterable[tuple[dict[str, Any], Figures]]  # for which flags, and what was found
Measured = Iterator[Round]  # one after the other, each when its turn has come


def flags(doc: str | None, servers: Sequence[type[Served]] = ALL) -> argparse.ArgumentParser:
    """Return a parser with the flags that all have."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ",".join(server.name for server in servers)
    parser.add_argument("--servers", default=names, help=f"which ones, of {names} [all]")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured, in turns [5]")
    parser.add_argument("--results", type=Path, help="a file to which the results are added, a line of JSON each")
    return parser


def interleaved(
    work: str, given: argparse.Namespace, servers: Sequence[type[Served]], measure: Callable[[Served], Measured]
) -> None:
    """Measure each of the ``servers`` that ``given`` asks for, in turns; print and keep what is found.

    What one has set up stands idle while others have their turn; where its measurement ends after a round, the next one
    begins with a new server.
    """
    raise_limits()
    wanted = [server for server in servers if server.name in given.servers.split(",")]
    for server in list(wanted):
        try:
            server.find()
        except Missing as missing:
            wanted.remove(server)
            keep(given.results, work=work, server=server.name, missing=str(missing))
    with ExitStack() as stack:
        turns = [(server.name, stack.enter_context(closing(_rounds(server, measure)))) for server in wanted]
        for number in range(given.rounds):
            for name, rounds in turns:
                for result in next(rounds):
                    keep(given.results, work=work, server=name, round=number, **result)


def staying(measured: Measured, connections: int, given: argparse.Namespace) -> Measured:
    """Return the rounds for which one set-up serves: the first one, where those of all servers are too many open files.

    So many ``connections`` each has.
    """
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    fits = connections * len(given.servers.split(",")) + SPARE <= files
    return measured if fits else iter([next(measured)])


def _rounds(
    server: type[Served], measure: Callable[[Served], Measured]
) -> Generator[Iterable[dict[str, Any]], None, None]:
    """Yield what each round finds, without an end."""
    while True:
        try:
            with server() as running:
                for found in measure(running):
                    yield [{"given": parameters, "figures": figures} for parameters, figures in found]
        except (Broken, OSError) as broken:
            yield [{"broken": f"{type(broken).__name__}: {broken}"}]


def keep(results: Path | None, **result: Any) -> None:
    """Print a result and add it to the file, if there is one."""
    print(_line(**result), flush=True)
    if results is not None:
        results.parent.mkdir(parents=True, exist_ok=True)
        with results.open("a") as file:
            file.write(json.dumps(result) + "\n")


def _line(work: str, server: str = "", **rest: Any) -> str:
    parameters = " ".join(f"{name}={value}" for name, value in rest.get("given", {}).items())
    figures = "  ".join(f"{name} {value:,.4g}" for name, value in rest.get("figures", {}).items())
    told = " ".join(f"{name}: {rest[name]}" for name in ("broken", "missing", "load") if name in rest)
    return f"{work} {server:9} {parameters} {figures}{told}"
