"""A program that sends, with an outbox on disk, and dies as of kill -9 where it is told to. Started by the tests."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import react

from cli import Client, kept
from cli.connection import Connection


class Death:
    """It comes at the ``moment``-th call of all that are :meth:`deadly`, before or after it."""

    def __init__(self, moment: int) -> None:
        self._left = moment

    def deadly(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any) -> Any:
            self._pass()
            result = call(*arguments)
            self._pass()
            return result

        return called

    def _pass(self) -> None:
        self._left -= 1
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)


async def send(reactor: Any, port: str, folder: str, moment: str, *what: str) -> None:
    """Send files (those that begin with a slash) and texts, and end when all is stored; ``moment`` 0 is never.

    Each text is written to standard output as soon as it was taken.
    """
    death = Death(int(moment))
    for owner, name in ((Connection, "_say"), (Connection, "dataReceived"), (kept, "_write_all")):
        setattr(owner, name, death.deadly(getattr(owner, name)))
    client = await Client.new("ann", port=int(port), client="c", outbox=Path(folder) / "outbox", reactor=reactor)
    stored = []
    for each in what:
        if each.startswith("/"):
            stored.append(client.send_file(each))
        else:
            stored.append(client.send_msg(each))
            print(each, flush=True)
    await gatherResults(stored)
    while client.check_status().unsent:  # what an earlier run left
        await client.read_msg()
    await client.close()


if __name__ == "__main__":
    react(lambda reactor, *arguments: Deferred.fromCoroutine(send(reactor, *arguments)), sys.argv[1:])
