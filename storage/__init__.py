"""Where messages are kept: the interface the server asks for, and its SQL implementation."""

from typing import TYPE_CHECKING, Any

from storage.interface import (
    Account,
    Auth,
    Batch,
    Beat,
    Content,
    Delete,
    Drop,
    Entry,
    INeighbours,
    IStorage,
    LoggedIn,
    Login,
    Logout,
    Message,
    Neighbour,
    Open,
    Outcome,
    Piece,
    Presence,
    Refusal,
    Refuse,
    Register,
    Return,
    Role,
    Room,
    Send,
    SendContent,
    Sender,
    StorageDown,
    StorageUnusable,
    Taken,
    UnknownMessage,
    Unregister,
    UploadKey,
)

if TYPE_CHECKING:
    from storage.sql import Storage

__all__ = [
    "Account",
    "Auth",
    "Batch",
    "Beat",
    "Content",
    "Delete",
    "Drop",
    "Entry",
    "INeighbours",
    "IStorage",
    "LoggedIn",
    "Login",
    "Logout",
    "Message",
    "Neighbour",
    "Open",
    "Outcome",
    "Piece",
    "Presence",
    "Refusal",
    "Refuse",
    "Register",
    "Return",
    "Role",
    "Room",
    "Send",
    "SendContent",
    "Sender",
    "Storage",
    "StorageDown",
    "StorageUnusable",
    "Taken",
    "UnknownMessage",
    "Unregister",
    "UploadKey",
]


def __getattr__(name: str) -> Any:
    if name == "Storage":  # loaded when first asked for: SQLAlchemy takes half a second
        from storage.sql import Storage

        return Storage
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
