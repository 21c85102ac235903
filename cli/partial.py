"""A file that is being saved: hidden and beside its place until it is whole, and never over another one."""

from __future__ import annotations

import os
from errno import EEXIST
from pathlib import Path
from typing import BinaryIO, Final

NAME: Final = 255  # bytes of a file's name on most file systems


class Partial:
    """The file that is to stand at ``path``. Until then it is ``.NAME.MARK.part``; the next try finds it by that.

    All its methods block and raise OSError, FileExistsError where there is something at ``path``.
    """

    def __init__(self, path: str, mark: str) -> None:
        self._path = Path(path).absolute()
        tail = os.fsencode(f".{mark}.part")
        name = b"." + os.fsencode(self._path.name)
        self._partial = self._path.with_name(os.fsdecode(name[: NAME - len(tail)] + tail))
        self._size = 0

    def begin(self, size: int) -> int:
        """Return how many bytes are there already, of ``size`` at most."""
        if os.path.lexists(self._path):
            raise FileExistsError(EEXIST, "there is something of that name already", str(self._path))
        with self._open(os.O_CREAT) as file:
            there = os.fstat(file.fileno()).st_size
            if there > size:
                os.ftruncate(file.fileno(), 0)
                there = 0
        self._size = there
        return there

    def write(self, data: bytes) -> None:
        """Put ``data`` behind what is there.

        In its place, not at the file's end: somebody else may be saving the same content there.
        """
        with self._open() as file:
            file.seek(self._size)
            file.write(data)
        self._size += len(data)

    def finish(self) -> None:
        """It is whole: sync it and put it in its place."""
        with self._open() as file:
            os.fsync(file.fileno())
        self._place()
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _place(self) -> None:
        try:
            os.link(self._partial, self._path)  # all of it or nothing, and never over another's
        except FileExistsError:
            raise
        except OSError:  # a file system without links
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
            self._partial.rename(self._path)
        else:
            self._partial.unlink()

    def _open(self, how: int = 0) -> BinaryIO:
        flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC | how
        return os.fdopen(os.open(self._partial, flags, 0o666), "wb")
