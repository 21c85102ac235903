"""The operator's commands: ``chat-server export`` and what else there is beside serving."""

from server.commands.archive import Export, Import
from server.commands.backup import Backup
from server.commands.check import Check
from server.commands.command import Command
from server.commands.health import Health
from server.commands.prune import Prune
from server.commands.rooms import Rooms
from server.commands.users import Users

COMMANDS: dict[str, type[Command]] = {
    "export": Export,
    "import": Import,
    "prune": Prune,
    "check": Check,
    "rooms": Rooms,
    "users": Users,
    "backup": Backup,
    "health": Health,
}

__all__ = ["COMMANDS", "Command"]
