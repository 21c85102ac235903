"""What processes asked of the kernel, as strace saw it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tests.processes import SERVER, ServerProcess, only_child
from tests.programs import program

SYNCS: Final = ("fsync", "fdatasync")
WRITES: Final = ("write", "writev", "pwrite64", "pwritev", "sendto", "sendmsg")

_LINE: Final = re.compile(
    r"""(?P<thread>\d+)\ +(?P<at>\d+\.\d+)\ +
    (?: <\.\.\.\ (?P<resumed>\w+)\ resumed> | (?P<name>\w+)\(\d+<(?P<path>.*?)>(?=,|\)|\ <) )
    (?P<rest>.*?)
    (?: <unfinished\ \.\.\.> | =\ \S+.*?\ <(?P<took>\d+\.\d+)> )$""",
    re.VERBOSE,
)


def traced(*, to: Path) -> list[str]:
    """Return the words to be put before a command so that its calls are noted in the file ``to``."""
    calls = ",".join((*SYNCS, *WRITES))
    return [program("strace", "strace"), "-f", "-y", "-ttt", "-T", "-s", "400", "-e", f"trace={calls}", "-o", str(to)]


@dataclass(frozen=True, slots=True)
class Call:
    """One system call on a file; times in seconds of the machine's clock."""

    name: str
    path: str
    rest: str  # the other arguments, as strace writes them
    began: float
    ended: float


def calls(trace: Path) -> list[Call]:
    """Return the calls in a trace that ended, in the order in which they began."""
    return sorted(_calls(trace.read_text(errors="replace").splitlines()), key=lambda call: call.began)


def _calls(lines: Sequence[str]) -> Iterator[Call]:
    begun: dict[str, Call] = {}  # by thread
    for line in lines:
        if not (found := _LINE.match(line)):
            continue
        at = float(found["at"])
        if found["resumed"]:
            yield replace(begun.pop(found["thread"]), ended=at)
        elif found["took"]:
            yield Call(found["name"], found["path"], found["rest"], at, at + float(found["took"]))
        else:
            begun[found["thread"]] = Call(found["name"], found["path"], found["rest"], at, at)


class TracedServer(ServerProcess):
    """A server whose calls are noted in the file ``trace``."""

    def __init__(self, db: str | None = None) -> None:
        super().__init__(db=db, command=(*traced(to=Path("trace")), *SERVER))
        self.trace = self.folder / "trace"

    @property
    def pid(self) -> int:
        return only_child(super().pid)

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)
