"""A program's visit to a server: it logs in, does its work, leaves; or says why it could not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as TookTooLong

from cli.client import Client
from cli.interrupt import INTERRUPTED
from cli.refusals import ClientClosed, LoginRefused
from cli.status import Listener

PATIENCE: Final = 10  # seconds without a server, at the start or behind the last line, until we give up

Connect = Callable[[Listener], Deferred[Client]]


class Visitor(Listener):
    """Who is told of the client that visits."""

    reason = ""  # why there is no connection


async def visit(
    reactor: Any,
    connect: Connect,
    server: str,
    visitor: Visitor,
    work: Callable[[Client], Awaitable[int]],
    complain: Callable[[str], None],
) -> int:
    """Do ``work`` with a client that ``connect`` makes and return the exit status, which ``work`` returns.

    ``complain`` is told why nobody could log in. Cancelling it cancels the work.
    """
    try:
        client = await connect(visitor).addTimeout(PATIENCE, reactor)
    except LoginRefused as refused:
        complain(refused.text)
        return 1
    except (ClientClosed, TookTooLong):
        complain(f"cannot reach {server}: {visitor.reason or 'no answer'}")
        return 1
    except CancelledError:
        return INTERRUPTED
    try:
        return await work(client)
    except CancelledError:
        return INTERRUPTED


def leaving(reactor: Any, stay: Coroutine[Deferred[Any], Any, int]) -> Deferred[int]:
    """Begin to ``stay``; where the reactor is stopped first, by Ctrl-C or a signal, it is cancelled and waited for."""
    staying = Deferred.fromCoroutine(stay)
    left: Deferred[None] = Deferred()

    def leave() -> Deferred[None]:
        staying.cancel()
        return left

    def told(result: Any) -> Any:
        left.callback(None)
        return result

    reactor.addSystemEventTrigger("before", "shutdown", leave)
    return staying.addBoth(told)
