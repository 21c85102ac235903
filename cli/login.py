"""Clients as the flags say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import Deferred, succeed

from cli.addresses import addresses
from cli.attempts import Threads
from cli.client import Client
from cli.config import BadConfig
from cli.in_turn import endpoint
from cli.inbox import Inbox
from cli.options import AnyOptions
from cli.password import in_file, in_keyring
from cli.secrets import Secrets
from cli.session import Session
from cli.status import Listener
from cli.visit import Connect


def make_client(
    reactor: Any,
    options: AnyOptions,
    secrets: Secrets,
    rooms: Iterable[str],
    history: int,
    listener: Listener,
    *,
    read: bool = True,
    unasked: bool = False,
) -> Client:
    """Return a client, not started, that will be in ``rooms``, with so many messages of what was said before.

    Of others it takes nothing but, ``unasked``, what somebody says to this user alone.

    Raises :class:`BadPasswordFile`.
    """
    session = Session(
        options["user"],
        Inbox(keep=read),
        rooms=dict.fromkeys(rooms),
        history=history,
        key=secrets.key,
        client=secrets.client,
        password=in_file(options.settings.password_file),
        outbox=secrets.folder / "outbox",
        in_thread=Threads(reactor),
        listener=listener,
        unasked=unasked,
    )
    another = Another(options["user"], options.server, listener)
    servers = addresses(options["host"], options["port"])
    try:
        where = endpoint(reactor, servers, tls=options["tls"], tls_ca=options["tls_ca"])
    except ValueError as wrong:
        raise BadConfig(f"--tls-ca: {wrong}") from None
    return Client(where, session, reactor, another=another)


class Another:
    """Another password: the one in the system's keyring, once, then what ``listener`` knows."""

    def __init__(self, user: str, server: str, listener: Listener) -> None:
        self._where = [(user, server)]
        self._listener = listener

    def __call__(self, why: str) -> Deferred[str | None]:
        """Return it; ``why`` is told to whoever is asked."""
        kept = in_keyring(*self._where.pop()) if self._where else None
        return succeed(kept) if kept else self._listener.password(why)


def connecting(
    reactor: Any, options: AnyOptions, secrets: Secrets, rooms: Iterable[str], history: int = 0, *, read: bool = True
) -> Connect:
    """Return what starts such a client; it fires at the first `welcome`."""
    return lambda listener: make_client(reactor, options, secrets, rooms, history, listener, read=read).start()
