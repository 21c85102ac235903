"""The client: :class:`Client`, the connection for programs and bots, and the program ``chat``."""

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
