"""The operator's commands: ``chat-server export`` and what else there is beside serving."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from server.commands.command import Command


class Named(NamedTuple):
    """A command in the list of all: loaded when it is called, so that each takes only the time it needs itself."""

    module: str
    kind: str
    brief: str

    def __call__(self) -> Command:
        """Load the command and return its options."""
        command: Command = getattr(import_module(f"server.commands.{self.module}"), self.kind)()
        return command


COMMANDS = {
    "export": Named("archive", "Export", "Write everything, files too, as JSON lines to standard output."),
    "import": Named("archive", "Import", "Read an export from standard input into an empty database."),
    "prune": Named("prune", "Prune", "Remove old messages and their files, while the server runs."),
    "check": Named("check", "Check", "Look for gaps and for what belongs to nothing; status 1 if anything is off."),
    "rooms": Named("rooms", "Rooms", "List the rooms: how many messages, which ids, and when the last one came."),
    "users": Named("users", "Users", "Make, change, remove and list the accounts of people."),
    "backup": Named("backup", "Backup", "Copy an SQLite database to FILE while the server runs."),
    "health": Named("health", "Health", "See that the server answers; status 1 if it does not."),
}

__all__ = ["COMMANDS"]
