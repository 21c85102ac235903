"""The chat's server: connections, rooms, the journal, and the service that runs them."""

from server.server import ConnectionState, Server

__all__ = ["ConnectionState", "Server", "__version__"]
__version__ = "0.1.0"
