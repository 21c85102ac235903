"""What is sent from files, and where it is saved."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Final

from cli.client import Client
from cli.inbox import Message
from cli.refusals import AskRefused
from wire.names import BadName, file_name
from wire.text import safe_line

LONGEST: Final = 200  # bytes of a file's name; file systems take 255, and an unfinished one has a longer name


def size_to_send(path: Path, name: str) -> int:
    """Return the size in bytes of the file at ``path``; raises OSError or :class:`BadName` where it cannot be sent."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise OSError("it is no regular file")
    try:
        file_name(name)
    except UnicodeEncodeError:
        raise BadName("its name is no UTF-8") from None
    return found.st_size


async def find(client: Client, id: int, room: str) -> Message:
    """Return message ``id`` of ``room``; raises :class:`AskRefused`, and ``ConnectionLost`` as every question."""
    for message in await client.history(room, 1, id + 1):
        if message.id == id and not message.deleted:
            return message
        if message.id == id:
            raise AskRefused("unknown_message", f"message {id} was deleted")
    raise AskRefused("unknown_message", f"there is no message {id} in {room}")


def name_of(message: Message) -> str:
    """Return what the content of ``message`` is called in a folder of ours.

    It is no path, nothing hidden and nothing that a command takes for a flag, whatever its sender called it.
    """
    name = safe_line(message.name or f"message-{message.id}.txt").replace("/", "_").replace("\\", "_")
    if name[:1] in ("", ".", "-", "~"):
        name = f"_{name}"
    end = Path(name).suffix if len(Path(name).suffix) < LONGEST // 8 else ""
    begin = name.removesuffix(end).encode()[: LONGEST - len(end.encode())]
    return begin.decode(errors="ignore") + end


def given(argument: str) -> Path:
    """Return the path that a person wrote: with ``~``, maybe in quotes. Raises ValueError where it is none."""
    path = argument.strip()
    if len(path) > 1 and path[0] == path[-1] and path[0] in "'\"":
        path = path[1:-1]
    if not path or "\0" in path:
        raise ValueError("say which FILE")
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise ValueError(f"whose folder {path} is in is not known") from None
