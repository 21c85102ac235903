"""``python phased_server.py FILE FLAGS…``: the server, which writes its journal's phase into FILE.

The product has no hooks for this; its methods are wrapped here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from server.journal import Journal
from server.main import main
from storage.sql import Storage
from tests.torture.phases import Phase, shared_byte


def phased(owner: type, name: str, during: Phase, after: Phase) -> None:
    """Have ``owner``'s method ``name`` note that it begins and ends."""
    method: Callable[..., Any] = getattr(owner, name)

    @wraps(method)
    def noting(*arguments: Any) -> Any:
        byte[0] = during
        try:
            result = method(*arguments)
        except BaseException:
            byte[0] = Phase.GATHERING
            raise
        byte[0] = after
        return result

    setattr(owner, name, noting)


byte = shared_byte(Path(sys.argv.pop(1)))
phased(Storage, "commit", Phase.COMMITTING, Phase.COMMITTED)
phased(Journal, "_tell", Phase.PUBLISHING, Phase.GATHERING)
main()
