"""What proves who we are: secrets drawn once and kept in the user's configuration folder.

secrets/SERVER/USER/key           the person's, shared by all programs that run as USER
secrets/SERVER/USER/1/client      a program's own, used by one that runs at a time: whoever holds ``lock`` beside it
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from contextlib import suppress
from itertools import chain, count
from pathlib import Path
from secrets import token_urlsafe
from typing import IO
from urllib.parse import quote

from platformdirs import user_config_path

from wire.names import fold


class Secrets:
    """The secrets of one running program: ``key`` and ``client`` of the protocol's `login`.

    ``place`` is ``SERVER/USER/1`` or the like: whatever lies in such a folder elsewhere is this program's alone too.
    They are its own until :meth:`release` or until it ends, however it ends; a later start takes them over. Raises
    OSError where the folder cannot be used.
    """

    def __init__(self, server: str, user: str, folder: Path | None = None) -> None:
        root = folder or user_config_path("console-chat") / "secrets"
        person = root / quote(server, safe="") / quote(fold(user), safe="")
        for private in (root, person.parent, person):
            private.mkdir(parents=True, exist_ok=True)
            private.chmod(0o700)
        self.key = _kept(person / "key")
        self.folder, self._lock = _free_place(person)
        self.client = _kept(self.folder / "client")
        self.place = self.folder.relative_to(root)

    def release(self) -> None:
        """Let another program take over the place."""
        self._lock.close()


def _free_place(person: Path) -> tuple[Path, IO[bytes]]:
    """Return the folder of a program that is not running, and its lock, held.

    One whose outbox has something left comes first: that is sent, and the same command goes on with it.
    """
    left = sorted(box.parent for box in person.glob("*/outbox") if box.stat().st_size)
    for place in chain(left, (person / str(number) for number in count(1))):
        place.mkdir(exist_ok=True, mode=0o700)
        (place / "lock").touch(mode=0o600)
        lock = (place / "lock").open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
        else:
            return place, lock
    raise AssertionError


def _kept(path: Path) -> str:
    """Return the secret kept at ``path``, drawn anew where there is none; all who ask at once get the same one."""
    if not path.exists():
        descriptor, drawn = tempfile.mkstemp(dir=path.parent, prefix=".new-")  # mode 0600
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(token_urlsafe(24))
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                os.link(drawn, path)  # all of it or nothing, and never over another's
        finally:
            Path(drawn).unlink()
    return path.read_text()
