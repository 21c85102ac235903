"""``chat``: the screen in a terminal, a filter without one."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any, NoReturn

from twisted.internet.defer import Deferred
from twisted.internet.task import react
from twisted.logger import ILogObserver, LogEvent, LogLevel, globalLogBeginner
from twisted.python.usage import UsageError
from zope.interface import provider

from cli import pipe
from cli.client import Client
from cli.options import Options
from cli.secrets import Secrets
from cli.status import Listener
from wire.text import safe_line


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Talk until it ends; exits with 1 and a line where it cannot be."""
    options = Options()
    try:
        options.parseOptions(list(sys.argv[1:] if arguments is None else arguments))
    except UsageError as wrong:
        _give_up(f"{' '.join(str(wrong).removeprefix('Parameter type enforcement failed: ').split())}; see --help")
    globalLogBeginner.beginLoggingTo([_faults_to_stderr], redirectStandardIO=False)
    try:
        secrets = Secrets(_server(options), options["user"])
    except OSError as wrong:
        _give_up(f"cannot keep secrets in {wrong.filename}: {wrong.strerror}")
    talk = _talk_on_screen if os.isatty(0) and os.isatty(1) else _talk_in_pipe
    react(partial(_run, talk, options, secrets))


async def _run(talk: Any, options: Options, secrets: Secrets, reactor: Any) -> None:
    try:
        raise SystemExit(await talk(reactor, options, secrets))
    finally:
        secrets.release()


def _talk_on_screen(reactor: Any, options: Options, secrets: Secrets) -> Deferred[int]:
    from cli import screen  # slow to load, and a filter needs none of it

    connect = partial(_connect, reactor, options, secrets, options["history"])
    return screen.run(reactor, connect, options["rooms"], options["user"])


def _talk_in_pipe(reactor: Any, options: Options, secrets: Secrets) -> Deferred[int]:
    history = options["history"] or 0
    connect = partial(_connect, reactor, options, secrets, history)
    talk = Deferred.fromCoroutine(
        pipe.run(
            reactor,
            connect,
            options["rooms"][0],
            server=_server(options),
            line=pipe.as_json if options["json"] else pipe.plain,
            drain=history > 0,
        )
    )
    left: Deferred[None] = Deferred()

    def leave() -> Deferred[None]:
        talk.cancel()
        return left

    def told(result: Any) -> Any:
        left.callback(None)
        return result

    reactor.addSystemEventTrigger("before", "shutdown", leave)
    return talk.addBoth(told)


def _connect(
    reactor: Any, options: Options, secrets: Secrets, history: int | None, listener: Listener
) -> Deferred[Client]:
    return Client.new(
        options["user"],
        options["host"],
        options["port"],
        rooms=dict.fromkeys(options["rooms"]),
        history=history,
        key=secrets.key,
        client=secrets.client,
        listener=listener,
        reactor=reactor,
    )


def _server(options: Options) -> str:
    return f"{options['host']}:{options['port']}"


@provider(ILogObserver)
def _faults_to_stderr(event: LogEvent) -> None:
    failure = event.get("log_failure")
    if event.get("log_level") is LogLevel.critical and failure is not None:
        print(f"chat: a fault of the program: {safe_line(failure.getBriefTraceback())}", file=sys.stderr)


def _give_up(line: str) -> NoReturn:
    print(f"chat: {safe_line(line)}", file=sys.stderr)
    raise SystemExit(1)
