"""``chat-server``: the service in the foreground, logging to standard output."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from twisted.application import app
from twisted.application.service import Application
from twisted.logger import globalLogBeginner

from server.logs import json_to_stdout, text_to_stdout
from server.options import Options
from server.service import ChatService


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until a signal ends it; exits with 1 and a line where it cannot begin."""
    options = Options()
    options.parseOptions(list(sys.argv[1:] if arguments is None else arguments))
    from twisted.internet import reactor

    observer = json_to_stdout() if options["log-format"] == "json" else text_to_stdout()
    globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False)
    application = Application("chat")
    chat = ChatService(options, reactor)
    chat.setServiceParent(application)  # type: ignore[no-untyped-call]
    chat.privilegedStartService()
    app.startApplication(application, save=False)
    reactor.run()
