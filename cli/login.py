"""Clients as the flags say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twisted.internet.endpoints import HostnameEndpoint

from cli.attempts import Threads
from cli.client import Client
from cli.inbox import Inbox
from cli.options import AnyOptions
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
) -> Client:
    """Return a client, not started, that will be in ``rooms``, with so many messages of what was said before."""
    session = Session(
        options["user"],
        Inbox(keep=read),
        rooms=dict.fromkeys(rooms),
        history=history,
        key=secrets.key,
        client=secrets.client,
        outbox=secrets.folder / "outbox",
        in_thread=Threads(reactor),
        listener=listener,
    )
    return Client(HostnameEndpoint(reactor, options["host"], options["port"]), session, reactor)


def connecting(
    reactor: Any, options: AnyOptions, secrets: Secrets, rooms: Iterable[str], history: int = 0, *, read: bool = True
) -> Connect:
    """Return what starts such a client; it fires at the first `welcome`."""
    return lambda listener: make_client(reactor, options, secrets, rooms, history, listener, read=read).start()
