"""What is kept between two runs: the rooms one was in, how far one had read, whom one ignores.

It lies in a file of its own for each program that runs at a time (see :mod:`cli.secrets`), so that it has one writer.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import msgspec
from twisted.internet.interfaces import IDelayedCall

from cli.atomic import replace
from cli.screen.conversation import Conversation
from wire.frames import Number

PAUSE: Final = 5.0  # seconds between two writings, at least: what a crash may cost
FILE: Final = "rooms.json"


class Past(msgspec.Struct):
    """``rooms`` in their order, each with the id read last, None where none was; which was ``shown``.

    Talks of two that one ``left`` stand there with the last id that came.
    """

    rooms: dict[str, Number | None] = {}
    left: dict[str, Number] = {}
    shown: str = ""
    ignored: list[str] = []


class Remembered:
    """The ``past`` as it was found in ``folder``, and as it is written there while one talks; None keeps nothing.

    Where ``folder`` has none yet it begins with the newest one beside it. What was read in any of them was read.
    """

    def __init__(self, folder: Path | None, reactor: Any) -> None:
        self._path = folder and folder / FILE
        self._reactor = reactor
        self._conversation: Conversation | None = None
        self._complain: Callable[[str], object] = str
        self._wrong = ""
        self._written = b""
        self._writing: IDelayedCall | None = None
        self.past = Past() if self._path is None else self._read(self._path)

    def restore(self, conversation: Conversation, complain: Callable[[str], object]) -> None:
        """Let ``conversation`` go on where the past ended; from now on it is the one that is kept.

        ``complain`` is told what goes wrong with that, in a line.
        """
        self._conversation, self._complain = conversation, complain
        for name, read_id in self.past.rooms.items():
            conversation.room(name).read_id = read_id
        conversation.left.update(self.past.left)
        for name in self.past.ignored:
            conversation.ignore(name)
        if shown := conversation.find(self.past.shown):
            conversation.show(shown)
        if self._wrong:
            complain(self._wrong)

    def changed(self) -> None:
        """There may be something to write."""
        if self._path is not None and self._writing is None:
            self._writing = self._reactor.callLater(PAUSE, self._write)

    def close(self) -> None:
        """Write what there is; no more will come."""
        if self._writing is not None:
            self._writing.cancel()
            self._write()
        self._path = None

    def _read(self, path: Path) -> Past:
        others = _beside(path)
        past = self._own(path) or (others[-1] if others else Past())
        for other in others:
            for name in past.rooms.keys() & other.rooms.keys():
                past.rooms[name] = max(past.rooms[name], other.rooms[name], key=lambda read_id: read_id or 0)
        return past

    def _own(self, path: Path) -> Past | None:
        """Return what this program kept, None where it is the first time; nothing where it is broken."""
        try:
            return msgspec.json.decode(path.read_bytes(), type=Past)
        except FileNotFoundError:
            return None
        except OSError as why:
            self._wrong = f"the rooms of last time are not known: {path}: {why.strerror}"
        except (msgspec.MsgspecError, UnicodeError) as why:
            aside = path.with_suffix(".broken")
            with suppress(OSError):
                path.replace(aside)
            self._wrong = f"the rooms of last time are not known: {why}; their file is now {aside}"
        return Past()

    def _write(self) -> None:
        self._writing = None
        conversation = self._conversation
        if self._path is None or conversation is None:
            return
        rooms = {room.name: room.read_id for room in conversation.rooms}
        past = Past(rooms, conversation.left, conversation.current.name, list(conversation.ignored.values()))
        content = msgspec.json.encode(past)
        if content == self._written:
            return
        try:
            replace(self._path, content)
            self._written = content
        except OSError as why:
            self._complain(f"the rooms that you are in are not kept: {self._path}: {why.strerror}")
            self._path = None


def _beside(path: Path) -> list[Past]:
    """Return what other programs keep, what was written last at the end. A broken file is for its own to tell of."""
    found: list[tuple[float, Past]] = []
    for file in path.parent.parent.glob(f"*/{FILE}"):
        if file != path:
            with suppress(OSError, msgspec.MsgspecError, UnicodeError):
                found.append((file.stat().st_mtime, msgspec.json.decode(file.read_bytes(), type=Past)))
    return [past for _, past in sorted(found, key=itemgetter(0))]
