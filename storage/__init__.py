"""Where messages are kept: the interface the server asks for, and its SQL implementation."""

from storage.interface import (
    Batch,
    Entry,
    IStorage,
    LoggedIn,
    Login,
    Message,
    Open,
    Outcome,
    Refuse,
    Room,
    Send,
    Sender,
    StorageDown,
    StorageUnusable,
    UnknownMessage,
)
from storage.sql import Storage

__all__ = [
    "Batch",
    "Entry",
    "IStorage",
    "LoggedIn",
    "Login",
    "Message",
    "Open",
    "Outcome",
    "Refuse",
    "Room",
    "Send",
    "Sender",
    "Storage",
    "StorageDown",
    "StorageUnusable",
    "UnknownMessage",
]
