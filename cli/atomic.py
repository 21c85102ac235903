"""Files that are never half-written."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path


def replace(path: Path, content: bytes) -> None:
    """Have ``content`` at ``path``, all of it or what was there before; raises OSError.

    What is a link stays one, and a file keeps its mode; a new one is the user's alone.
    """
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, new = tempfile.mkstemp(dir=path.parent, prefix=".new-")  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        with suppress(FileNotFoundError):
            shutil.copymode(path, new)
        Path(new).replace(path)
    except BaseException:
        Path(new).unlink()
        raise
