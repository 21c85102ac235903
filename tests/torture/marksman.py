"""A marksman: waits until a server is in a certain phase, and kills it there, or a random moment later.

It is a process of its own: phases are shorter than this interpreter's turns between threads, and the load goes on.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

from tests.torture.phases import Phase, shared_byte

WAIT = 3.0  # seconds for a phase that does not come; then it shoots all the same


class Marksman:
    """``with Marksman(file) as marksman: marksman.shoot(...)``; ``file`` is the one that the server writes."""

    def __init__(self, file: Path) -> None:
        self._process = subprocess.Popen([sys.executable, __file__, file], stdin=subprocess.PIPE, text=True)

    def __enter__(self) -> Marksman:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def shoot(self, pid: int, phase: Phase, after: float, aside: float) -> None:
        """Have the process killed ``aside`` seconds behind the beginning of ``phase``, in ``after`` seconds or later.

        Returns at once.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(f"{pid} {phase:d} {after} {aside}\n")
        self._process.stdin.flush()


def _main(file: Path) -> None:
    byte = shared_byte(file)
    for line in sys.stdin:
        pid, phase, after, aside = line.split()
        wanted = int(phase)
        time.sleep(float(after))
        give_up = time.perf_counter() + WAIT
        while byte[0] == wanted and time.perf_counter() < give_up:
            pass  # not in the middle of it: only its beginning is known
        while byte[0] != wanted and time.perf_counter() < give_up:
            pass
        shot = time.perf_counter() + float(aside)
        while time.perf_counter() < shot:
            pass
        os.kill(int(pid), signal.SIGKILL)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
