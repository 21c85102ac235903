"""The chat's server: connections, rooms, the journal, and the service that runs them."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from server.server import ConnectionState, Server

__all__ = ["ConnectionState", "Server", "__version__"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name in __all__:  # loaded when first asked for: the operator's commands need nothing of it
        from server import server

        return getattr(server, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
