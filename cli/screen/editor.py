"""A text written in the person's own editor."""

from __future__ import annotations

import locale
import os
import shlex
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from twisted.internet.defer import Deferred

FALLBACKS: Final = ("vi", "nano")  # where nobody says which


class EditorFailed(Exception):
    """It did not work; the text says what happened, for a person."""


async def edit(text: str, lend: Callable[[Sequence[str]], Deferred[int]]) -> str:
    """Return what the editor made of ``text``; raises :class:`EditorFailed`.

    ``lend`` runs a command that has the terminal for itself, and fires with its status. What a failing editor wrote
    all the same is kept, and the error says where.
    """
    command = _editor()
    encoding = locale.getpreferredencoding(do_setlocale=False)  # what an editor takes a file to be in
    folder = Path(tempfile.mkdtemp(prefix="chat-"))  # mode 0700: editors put copies beside the file
    file = folder / "message.txt"
    try:
        file.write_text(text, encoding, errors="replace")
        written = file.read_bytes()
        status = await lend([*command, str(file)])
        found = file.read_bytes() if file.exists() else b""
    except OSError as wrong:
        shutil.rmtree(folder, ignore_errors=True)
        raise EditorFailed(f"{command[0]} cannot be used: {wrong.strerror or wrong}") from None
    if status and found != written:
        raise EditorFailed(f"{command[0]} ended with status {status}; what it wrote is in {file}")
    shutil.rmtree(folder, ignore_errors=True)
    if status:
        raise EditorFailed(f"{command[0]} ended with status {status}; what you typed is as it was")
    if found == written:  # it may have letters that the encoding has not
        return text
    return found.decode(encoding, errors="replace").replace("\r\n", "\n").removesuffix("\n")


def _editor() -> list[str]:
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if named:
        try:
            command = shlex.split(named)
        except ValueError as wrong:
            raise EditorFailed(f"$VISUAL or $EDITOR is {named!r}, which is no command: {wrong}") from None
    else:
        command = [name for name in FALLBACKS if shutil.which(name)][:1]
    if not command:
        raise EditorFailed("no editor is found; say in $EDITOR which one to use")
    if not shutil.which(command[0]):
        raise EditorFailed(f"there is no editor {command[0]}; say in $EDITOR which one to use")
    return command
