"""The threads in which the storage works, passwords are hashed and texts are searched."""

from __future__ import annotations

import os
import sys
from functools import partial
from threading import Thread, get_native_id
from time import monotonic, sleep
from typing import Any, Final

from twisted.python.threadpool import ThreadPool

from server.people import People

LAST: Final = 19  # as `nice` counts
RESTS: Final = 3  # times as long as a thread worked it rests
LONGEST: Final = 0.1  # seconds of a rest: what took long most likely waited for the database


class StorageThreads(ThreadPool):
    """Threads of the storage: one that is stuck in the database does not keep the process from ending."""

    threadFactory = staticmethod(partial(Thread, daemon=True))  # type: ignore[assignment]


class RestingThreads(StorageThreads):
    """Threads that rest behind whatever they did, while people talk: these need not share the interpreter then.

    Who asks for one thing does not notice, who asks without end has a fourth of each thread's time.
    """

    def __init__(self, most: int, name: str, people: People) -> None:
        super().__init__(0, most, name)
        self._people = people

    def callInThreadWithCallback(self, onResult: Any, func: Any, *args: Any, **kw: Any) -> None:  # noqa: N803
        """Call ``func`` in a thread, and ``onResult`` there with what came of it."""
        began = 0.0

        def timed() -> Any:
            nonlocal began
            began = monotonic()
            return func(*args, **kw)

        def and_rest(success: bool, result: Any) -> None:
            onResult(success, result)
            if self._people.talk:
                sleep(min(RESTS * (monotonic() - began), LONGEST))

        super().callInThreadWithCallback(and_rest, timed)


class PatientThread(Thread):
    """One that has of the processors what nobody else wants, where the system tells the threads of a process apart."""

    def run(self) -> None:
        """Run."""
        if sys.platform == "linux":
            os.setpriority(os.PRIO_PROCESS, get_native_id(), LAST)
        super().run()


class PatientThreads(ThreadPool):
    """Threads that hash passwords or search: who guesses or looks for much takes no processor away from who talks."""

    threadFactory = staticmethod(partial(PatientThread, daemon=True))  # type: ignore[assignment]
