"""Where one was last time, so that ``chat`` alone goes there again."""

from __future__ import annotations

import json
from pathlib import Path

from platformdirs import user_state_path

from cli.atomic import replace


class LastServer:
    """The server that one talked on last, kept in a file at ``path``."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or user_state_path("console-chat") / "server.json"

    def recall(self) -> tuple[str, int, bool] | None:
        """Return its host, its port and whether TLS is spoken there; None where there was none or nobody can tell."""
        try:
            host, port, tls = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError, TypeError, RecursionError):
            return None
        is_one = isinstance(host, str) and isinstance(port, int) and 0 < port < 65536 and isinstance(tls, bool)
        return (host, port, tls) if is_one else None

    def remember(self, host: str, port: int, tls: bool) -> None:
        """Have it be this one, if that can be kept: where it cannot, one says it again next time."""
        try:
            replace(self._path, json.dumps([host, port, tls]).encode())
        except OSError:
            return
