"""``chat``: the screen in a terminal, a filter without one, and the commands ``send``, ``tail`` and ``save``."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Coroutine, Iterable, Sequence
from functools import partial
from time import monotonic
from typing import Any, Final, NoReturn

from platformdirs import user_state_path
from twisted.internet.defer import Deferred
from twisted.internet.task import react
from twisted.logger import ILogObserver, LogEvent, LogLevel, globalLogBeginner
from twisted.python.usage import UsageError
from zope.interface import provider

from cli.addresses import addresses
from cli.attempts import Threads
from cli.client import Client
from cli.config import BadConfig, Config
from cli.in_turn import endpoint
from cli.inbox import Inbox
from cli.last_server import LastServer
from cli.options import AnyOptions, Options, SaveOptions, SendOptions, TailOptions
from cli.secrets import Secrets
from cli.session import Session
from cli.status import Listener
from wire.frames import LOBBY
from wire.text import safe_line


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Talk until it ends; exits with 1 and a line where it cannot be."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    command = words.pop(0) if words and words[0] in _COMMANDS else ""
    make_options, talk = _COMMANDS[command] if command else (Options, _talk)
    options = make_options(Config())
    try:
        options.parseOptions(words)
    except BadConfig as wrong:
        _give_up(str(wrong))
    except UsageError as wrong:
        why = " ".join(str(wrong).removeprefix("Parameter type enforcement failed: ").split())
        _give_up(f"{why}; see chat {command + ' ' if command else ''}--help")
    except BrokenPipeError:  # who pages through --help has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise SystemExit(0) from None
    if talk is _talk and _on_screen():
        _go_where_last(options)
    globalLogBeginner.beginLoggingTo([_faults_to_stderr], redirectStandardIO=False)
    try:
        secrets = Secrets(_server(options), options["user"])
    except OSError as wrong:
        _give_up(f"cannot keep secrets in {wrong.filename}: {wrong.strerror}; set XDG_CONFIG_HOME to another folder")
    react(partial(_run, talk, options, secrets))


def _on_screen() -> bool:
    return os.isatty(0) and os.isatty(1)


def _go_where_last(options: AnyOptions) -> None:
    if not options.server_chosen and (last := LastServer().recall()):
        options["host"], options["port"] = last


async def _run(talk: Any, options: AnyOptions, secrets: Secrets, reactor: Any) -> None:
    reactor.seconds = monotonic  # Twisted's own is the wall clock: a step back would stop every timer
    try:
        raise SystemExit(await talk(reactor, options, secrets))
    except BadConfig as wrong:
        _give_up(str(wrong))
    finally:
        secrets.release()


def _talk(reactor: Any, options: Options, secrets: Secrets) -> Deferred[int]:
    talk = _talk_on_screen if _on_screen() else _talk_in_pipe
    return talk(reactor, options, secrets)


def _talk_on_screen(reactor: Any, options: Options, secrets: Secrets) -> Deferred[int]:
    gc.disable()  # what is loaded stays: a collection that looks through it only takes time, now and later
    from cli.screen import talk  # slow to load, and a filter needs none of it
    from cli.screen.remembered import Remembered

    gc.freeze()
    gc.enable()
    remembered = Remembered(user_state_path("console-chat") / secrets.place, reactor)
    rooms = options["rooms"] or ([] if remembered.past.rooms else [LOBBY])

    def make(listener: Listener) -> Client:
        client = _client(reactor, options, secrets, rooms, 0, listener)  # what one looks at is fetched
        client.started.addCallback(arrived)
        return client

    def arrived(client: Client) -> Client:
        LastServer().remember(options["host"], options["port"])
        return client

    shown = rooms[0] if options.room_chosen else None
    return talk.run(reactor, make, rooms, options["user"], options.settings, remembered, options.config, show=shown)


def _talk_in_pipe(reactor: Any, options: Options, secrets: Secrets) -> Deferred[int]:
    from cli import pipe

    history = options["history"]
    rooms = options["rooms"] or [LOBBY]
    connect = _connecting(partial(_client, reactor, options, secrets, rooms, history))
    return _leaving(
        reactor,
        pipe.run(
            reactor,
            connect,
            rooms[0],
            server=_server(options),
            line=pipe.as_json if options["json"] else pipe.plain,
            drain=history > 0,
        ),
    )


def _send(reactor: Any, options: SendOptions, secrets: Secrets) -> Deferred[int]:
    from cli import commands  # the screen needs none of it

    connect = _connecting(partial(_client, reactor, options, secrets, [options["room"]], 0, read=False))
    return _leaving(reactor, commands.send(reactor, connect, _server(options), options))


def _tail(reactor: Any, options: TailOptions, secrets: Secrets) -> Deferred[int]:
    from cli import commands  # the screen needs none of it

    connect = _connecting(partial(_client, reactor, options, secrets, [options["room"]], options["count"]))
    return _leaving(reactor, commands.tail(reactor, connect, _server(options), options))


def _save(reactor: Any, options: SaveOptions, secrets: Secrets) -> Deferred[int]:
    from cli import commands  # the screen needs none of it

    connect = _connecting(partial(_client, reactor, options, secrets, [options["room"]], 0, read=False))
    return _leaving(reactor, commands.save(reactor, connect, _server(options), options))


_COMMANDS: Final[dict[str, tuple[type[AnyOptions], Any]]] = {
    "send": (SendOptions, _send),
    "tail": (TailOptions, _tail),
    "save": (SaveOptions, _save),
}


def _leaving(reactor: Any, talk: Coroutine[Deferred[Any], Any, int]) -> Deferred[int]:
    """Begin to ``talk``; where the reactor is stopped first, by Ctrl-C or a signal, it is cancelled and waited for."""
    talking = Deferred.fromCoroutine(talk)
    left: Deferred[None] = Deferred()

    def leave() -> Deferred[None]:
        talking.cancel()
        return left

    def told(result: Any) -> Any:
        left.callback(None)
        return result

    reactor.addSystemEventTrigger("before", "shutdown", leave)
    return talking.addBoth(told)


def _connecting(make: Callable[[Listener], Client]) -> Callable[[Listener], Deferred[Client]]:
    """Return what starts the client that ``make`` makes; it fires at the first `welcome`."""
    return lambda listener: make(listener).start()


def _client(
    reactor: Any,
    options: AnyOptions,
    secrets: Secrets,
    rooms: Iterable[str],
    history: int | None,
    listener: Listener,
    *,
    read: bool = True,
) -> Client:
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
    return Client(endpoint(reactor, addresses(options["host"], options["port"])), session, reactor)


def _server(options: AnyOptions) -> str:
    return f"{options['host']}:{options['port']}"


@provider(ILogObserver)
def _faults_to_stderr(event: LogEvent) -> None:
    failure = event.get("log_failure")
    if event.get("log_level") is LogLevel.critical and failure is not None:
        print(f"chat: a fault of the program: {safe_line(failure.getBriefTraceback())}", file=sys.stderr)


def _give_up(line: str) -> NoReturn:
    print(f"chat: {safe_line(line)}", file=sys.stderr)
    raise SystemExit(1)
