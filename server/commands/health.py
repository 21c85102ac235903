"""``health``: does the server answer?"""

from __future__ import annotations

from typing import ClassVar

from twisted.python.usage import UsageError

from server.commands.command import Command, Refused
from server.ping import Unwell, address, ping


class Health(Command):
    """Pings it, as ``server.ping`` tells."""

    synopsis: ClassVar[str] = "[[tls:]HOST:PORT | [tls:]PORT | /PATH/OF/A/SOCKET]   [default: 7777 on this machine]"

    def parseArgs(self, *arguments: str) -> None:
        """Take the address, as the server's log tells it."""
        if len(arguments) > 1:
            raise UsageError("name one address")
        self["addresses"] = arguments
        try:
            for said in arguments:
                address(said)
        except ValueError as wrong:
            raise UsageError(str(wrong)) from None

    def run(self) -> int:
        """Ask."""
        try:
            ping(*self["addresses"])
        except Unwell as why:
            raise Refused(str(why)) from None
        return 0
