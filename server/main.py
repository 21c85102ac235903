"""``chat-server``: where it begins."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress

from server.ping import Unwell, ping


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until a signal ends it, or carry out a command; exits with 1 and a line where it cannot be."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    match given:
        case ["health", *said] if len(said) < 2:  # asked every few seconds: all else takes ten times as long to load
            with suppress(ValueError):  # what is no address, --help too, is looked at with all other flags
                raise SystemExit(_health(*said))
    from server.program import run

    run(given)


def _health(*said: str) -> int | str:
    try:
        ping(*said)
    except Unwell as why:
        return f"chat-server: {why}"
    return 0
