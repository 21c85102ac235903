"""Long texts, read in a pager."""

from __future__ import annotations

import os
import shlex
import shutil
from codecs import getincrementaldecoder
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, BinaryIO, Final

from twisted.internet.defer import CancelledError

from cli.options import message_id
from cli.refusals import AskRefused, ClientClosed
from cli.screen.conversation import Transfer
from cli.screen.lines import is_long
from cli.screen.modes import Word
from wire.text import safe

if TYPE_CHECKING:
    from cli.screen.talk import Talk


PART: Final = 4096  # characters that are made harmless at once: of random ones it takes a millisecond, and holds up all


class Harmless:
    """Writes text to ``file``, cut anywhere, so that no pager can be made to do anything but show it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decode = getincrementaldecoder("utf-8")("replace").decode

    def write(self, data: bytes) -> None:
        """Write what is whole of ``data``."""
        text = self._decode(data)
        for start in range(0, len(text), PART):
            self._file.write(safe(text[start : start + PART]).encode())

    def end(self) -> None:
        """Write what is not whole and never will be."""
        self._file.write(self._decode(b"", True).encode())


class Pager:
    """Fetches whole texts for ``talk`` and shows them in ``$PAGER``, while the chat goes on."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        talk.commands.add("open", self._open, "read a long text in the pager", "[ID]", subject="talk")
        talk.keys.add("open", lambda: self._open(""), "read all of the lowest long text in view in the pager", "meta o")

    def _open(self, argument: str) -> None:
        try:
            id = message_id(argument.strip()) if argument.strip() else self._in_view()
            pager = _pager()
        except ValueError as why:
            self._talk.writing.let(Word(str(why)))
            return
        room = self._talk.conversation.current.name
        self._talk.begin(self._show(room, id, pager))

    def _in_view(self) -> int:
        room = self._talk.conversation.current
        for placed in reversed(self._talk.view.placed):
            message = room.history.get(placed.position[0])
            if message is not None and is_long(message):
                return message.id
        raise ValueError("no long text is in view; /open ID opens any message")

    async def _show(self, room: str, id: int, pager: list[str]) -> None:
        client, transfers = self._talk.client, self._talk.transfers
        with TemporaryDirectory(prefix="chat-") as folder:
            path = Path(folder) / f"message-{id}.txt"
            try:
                with open(path, "xb", opener=partial(os.open, mode=0o600)) as file:
                    harmless, fetching = Harmless(file), Transfer("fetching", path.name)
                    progress = partial(transfers.progress, fetching)
                    await transfers.show(fetching, client.fetch(id, room, write=harmless.write, progress=progress))
                    harmless.end()
                # Of less: no commands that start programs or write files.
                status = await self._talk.lend(["env", "LESSSECURE=1", *pager, str(path)])
            except AskRefused as refused:
                self._talk.say(f"message {id} is not there to be read: {refused.text}")
            except (ClientClosed, CancelledError) as why:
                self._talk.say(f"message {id} was not fetched: {why or 'cancelled'}")
            except OSError as why:
                self._talk.say(f"message {id} cannot be shown: {why.strerror or why}")
            else:
                if status:
                    self._talk.say(f"{pager[0]} ended with status {status}; $PAGER names another pager")


def _pager() -> list[str]:
    """Return the command that pages; raises ValueError where there is none."""
    wanted = os.environ.get("PAGER", "").strip()
    try:
        commands = [shlex.split(wanted)] if wanted else [["less"], ["more"]]
    except ValueError:
        raise ValueError(f"$PAGER is no command: {wanted}") from None
    for command in commands:
        if shutil.which(command[0]):
            return command
    raise ValueError(f"there is no program {commands[0][0]} to page with; $PAGER names another")
