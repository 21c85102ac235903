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
from cli.status import Listener, Status


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


class Empty(Listener):
    """Waits until nothing is unsent."""

    def __init__(self) -> None:
        self._waiting: Deferred[None] | None = None

    def wait(self, client: Client) -> Deferred[None]:
        """Return what fires once nothing is unsent."""
        waiting: Deferred[None] = Deferred()
        self._waiting = waiting
        self.status_changed(client.check_status())
        return waiting

    def status_changed(self, status: Status) -> None:
        if self._waiting is not None and not (status.unsent or self._waiting.called):
            self._waiting.callback(None)


async def send(reactor: Any, port: str, folder: str, moment: str, *what: str) -> None:
    """Send files (those that begin with a slash) and texts, and end when all is stored; ``moment`` 0 is never.

    Each text is written to standard output as soon as it was taken.
    """
    death = Death(int(moment))
    for owner, name in ((Connection, "_say"), (Connection, "dataReceived"), (kept, "_write_all")):
        setattr(owner, name, death.deadly(getattr(owner, name)))
    empty = Empty()
    client = await Client.new(
        "ann", port=int(port), client="c", outbox=Path(folder) / "outbox", listener=empty, reactor=reactor
    )
    stored = []
    for each in what:
        if each.startswith("/"):
            stored.append(client.send_file(each))
        else:
            stored.append(client.send_msg(each))
            print(each, flush=True)
    await gatherResults(stored)
    await empty.wait(client)  # for what an earlier run left
    await client.close()


if __name__ == "__main__":
    react(lambda reactor, *arguments: Deferred.fromCoroutine(send(reactor, *arguments)), sys.argv[1:])
