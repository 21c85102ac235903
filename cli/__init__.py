"""The client: :class:`Client`, the connection for programs and bots, and the program ``chat``."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cli.client import Client
    from cli.inbox import Message
    from cli.refusals import AskRefused, ClientClosed, LoginRefused, Refused, SendRefused
    from cli.session import Found
    from cli.status import Listener, Progress, State, Status
    from wire.frames import RoomInfo

__all__ = [
    "AskRefused",
    "Client",
    "ClientClosed",
    "Found",
    "Listener",
    "LoginRefused",
    "Message",
    "Progress",
    "Refused",
    "RoomInfo",
    "SendRefused",
    "State",
    "Status",
]

# Loaded when first asked for: ``chat`` is to begin before all that.
_MODULES = ("cli.client", "cli.inbox", "cli.refusals", "cli.session", "cli.status", "wire.frames")


def __getattr__(name: str) -> Any:
    if name in __all__:
        for module in map(import_module, _MODULES):
            if hasattr(module, name):
                return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
