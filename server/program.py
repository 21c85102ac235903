"""The service in the foreground, logging to standard output, or one of the operator's commands."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, ClassVar

from server.commands import COMMANDS
from server.commands.command import carry_out, close_output
from server.options import Options


class ProgramOptions(Options):
    """The server's flags, or a command with its own."""

    synopsis = "Usage: chat-server [options]   (or: twistd -n chat [options])\n       chat-server COMMAND [options]"
    subCommands: ClassVar[list[Any]] = [[name, None, command, command.brief] for name, command in COMMANDS.items()]


def run(arguments: Sequence[str]) -> None:
    """Serve until a signal ends it, or carry out a command; exits with 1 and a line where it cannot be."""
    os.umask(os.umask(0o077) | 0o077)  # a database, a copy, an export: passwords' hashes, and what was said in private
    options = ProgramOptions()
    try:
        options.parseOptions(list(arguments))
    except BrokenPipeError:  # who pages through --help has read enough
        close_output()
        raise SystemExit(0) from None
    except OSError as wrong:
        close_output()
        raise SystemExit(f"chat-server: standard output: {wrong.strerror}") from None
    if options.subCommand is not None:
        carry_out(options.subOptions)
    _serve(options)


def _serve(options: Options) -> None:
    # Loaded here: a command needs nothing of it.
    from twisted.application import app
    from twisted.application.service import Application
    from twisted.internet import reactor
    from twisted.logger import globalLogBeginner

    from server.logs import json_to_stdout, text_to_stdout
    from server.service import ChatService

    observer = json_to_stdout() if options["log-format"] == "json" else text_to_stdout()
    globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False)
    application = Application("chat")
    chat = ChatService(options, reactor)
    chat.setServiceParent(application)  # type: ignore[no-untyped-call]
    chat.privilegedStartService()
    app.startApplication(application, save=False)
    reactor.run()
