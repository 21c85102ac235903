"""What ``chat`` does once it knows what is asked: the screen in a terminal, a filter without one, or a command."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any, NoReturn

from twisted.internet.defer import Deferred
from twisted.internet.task import react
from twisted.logger import ILogObserver, LogEvent, LogLevel, globalLogBeginner
from zope.interface import provider

from cli.asked import give_up
from cli.config import BadConfig
from cli.interrupt import when_interrupted
from cli.last_server import LastServer
from cli.options import AnyOptions
from cli.password import BadPasswordFile
from cli.secrets import Secrets
from wire.text import safe_line

Way = Callable[[Any, Any, Secrets], Deferred[int]]  # a reactor, options, secrets -> the exit status


def run(command: str, options: AnyOptions) -> NoReturn:
    """Do what ``command`` says, or talk where it is empty; exits with 1 and a line where that cannot be."""
    if not command and _on_screen():
        _go_where_last(options)
    if not options["tls"]:
        sys.modules["OpenSSL"] = None  # type: ignore[assignment]  # the reactor would load it: 150 ms, 12 MiB
    globalLogBeginner.beginLoggingTo([_faults_to_stderr], redirectStandardIO=False)
    try:
        secrets = Secrets(options.server, options["user"])
    except OSError as wrong:
        give_up(f"cannot keep secrets in {wrong.filename}: {wrong.strerror}; set XDG_CONFIG_HOME to another folder")
    react(partial(_go, _way(command), options, secrets))


def _on_screen() -> bool:
    return os.isatty(0) and os.isatty(1)


def _go_where_last(options: AnyOptions) -> None:
    if not options.server_chosen and (last := LastServer().recall()):
        options["host"], options["port"], tls = last
        options["tls"] = options["tls"] or tls


def _way(command: str) -> Way:
    """Load what carries out ``command``, and nothing of what others need."""
    if command:
        from cli import commands

        return commands.BY_NAME[command]
    if _on_screen():
        from cli import on_screen

        return on_screen.talk
    from cli import pipe

    return pipe.talk


async def _go(way: Way, options: AnyOptions, secrets: Secrets, reactor: Any) -> None:
    when_interrupted(reactor.sigInt)  # all is loaded: from here on there is something to be left in order
    gc.freeze()
    gc.enable()
    reactor.seconds = monotonic  # Twisted's own is the wall clock: a step back would stop every timer
    try:
        raise SystemExit(await way(reactor, options, secrets))
    except (BadConfig, BadPasswordFile) as wrong:
        give_up(str(wrong))
    finally:
        secrets.release()


@provider(ILogObserver)
def _faults_to_stderr(event: LogEvent) -> None:
    failure = event.get("log_failure")
    if event.get("log_level") is LogLevel.critical and failure is not None:
        print(f"chat: a fault of the program: {safe_line(failure.getBriefTraceback())}", file=sys.stderr)
