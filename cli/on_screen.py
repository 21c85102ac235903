"""``chat`` in a terminal."""

from __future__ import annotations

from typing import Any

from platformdirs import user_state_path
from twisted.internet.defer import Deferred

from cli.client import Client
from cli.last_server import LastServer
from cli.login import make_client
from cli.options import Options
from cli.screen.remembered import Remembered
from cli.screen.talk import run
from cli.secrets import Secrets
from cli.status import Listener
from wire.frames import LOBBY


def talk(reactor: Any, options: Options, secrets: Secrets) -> Deferred[int]:
    """Talk on the screen; fires with the exit status."""
    remembered = Remembered(user_state_path("console-chat") / secrets.place, reactor)
    rooms = options["rooms"] or ([] if remembered.past.rooms else [LOBBY])

    def make(listener: Listener) -> Client:
        client = make_client(
            reactor, options, secrets, rooms, 0, listener, unasked=True
        )  # what one looks at is fetched
        client.started.addCallback(arrived)
        return client

    def arrived(client: Client) -> Client:
        LastServer().remember(options["host"], options["port"], options["tls"])
        return client

    shown = rooms[0] if options.room_chosen else None
    user, server, settings = options["user"], options.server, options.settings
    return run(reactor, make, rooms, user, settings, remembered, options.config, server=server, show=shown)
