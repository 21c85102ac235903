"""A program's visit to a server: it logs in, does its work, leaves; or says why it could not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IDelayedCall

from cli.client import Client
from cli.interrupt import INTERRUPTED
from cli.password import typed
from cli.refusals import ClientClosed, LoginRefused
from cli.status import Listener
from wire.text import safe_line

PATIENCE: Final = 10  # seconds without a server, at the start or behind the last line, until we give up

_TO_DO: Final = {"auth_failed": "; --password-file FILE or $CHAT_PASSWORD_FILE says where it is"}

Connect = Callable[[Listener], Deferred[Client]]


class Visitor(Listener):
    """Who is told of the client that visits."""

    reason = ""  # why there is no connection
    patience: IDelayedCall | None = None  # the end of it, while there is none yet

    def password(self, why: str) -> Deferred[str | None]:
        """Ask for it, where there is a terminal; the time that a person takes does not count."""
        password = typed(safe_line(why))
        if self.patience is not None and self.patience.active():
            self.patience.reset(PATIENCE)
        return succeed(password)


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
    connecting = connect(visitor)
    visitor.patience = patience = reactor.callLater(PATIENCE, connecting.cancel)
    try:
        client = await connecting
    except LoginRefused as refused:
        complain(f"{refused.text}{_TO_DO.get(refused.code, '')}")
        return 1
    except (ClientClosed, CancelledError) as why:
        if isinstance(why, CancelledError) and patience.active():
            return INTERRUPTED
        complain(f"cannot reach {server}: {visitor.reason or 'no answer'}")
        return 1
    finally:
        if patience.active():
            patience.cancel()
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
