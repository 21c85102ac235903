"""What the word before the cursor could become."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from cli.screen.commands import Commands, Completes
from cli.screen.editing import Buffer
from wire.names import fold
from wire.text import safe_line

FILES: Final = 1000  # of one folder that are offered


class Completing:
    """Puts in one after the other of ``found`` in place of what stands between ``start`` and the cursor."""

    def __init__(self, buffer: Buffer, start: int, found: list[str]) -> None:
        self.found = found
        self._buffer = buffer
        self._start = start
        self._at: int | None = None
        self._left = buffer.text, buffer.cursor

    def stands(self, buffer: Buffer) -> bool:
        """Whether ``buffer`` is as it was left."""
        return buffer is self._buffer and self._left == (buffer.text, buffer.cursor)

    @property
    def goes_on(self) -> bool:
        """Whether there is another to put in, rather than more to find behind the only one."""
        return len(self.found) > 1

    def turn(self, by: int) -> None:
        """Put in the next one, or the one before."""
        if not self.found:
            return
        self._at = min(by, 0) if self._at is None else self._at + by
        text = self.found[self._at % len(self.found)]
        if self._buffer.text[self._buffer.cursor :].startswith(" "):
            text = text.removesuffix(" ")
        self._buffer.replace(self._start, self._buffer.cursor, text)
        self._left = self._buffer.text, self._buffer.cursor


def complete(before: str, commands: Commands, people: Iterable[str]) -> tuple[int, list[str]]:
    """Return from where on ``before``, which is the text up to the cursor, could become something else, and what.

    ``people`` are those who may be meant, the likeliest first.
    """
    asks_who = False
    if before.startswith("/") and not before.startswith("//"):
        name, space, argument = before[1:].partition(" ")
        if not space:
            return 0, [f"/{command.name} " for command in commands if command.name.startswith(name)]
        command = commands.get(name)
        if command is not None and command.completes is not None:
            return len(before) - len(argument), list(command.completes(argument))
        asks_who = command is not None and not argument and "NAME" in command.takes
    start = max(before.rfind(" "), before.rfind("\n")) + 1
    word = fold(before[start:].removeprefix("@"))
    at = "@" if before[start:].startswith("@") else ""
    end = " " if start or at else ": "
    if start and not word and not asks_who:
        return start, []
    return start, [f"{at}{name}{end}" for name in people if fold(name).startswith(word)]


def last_word(of: Callable[[], Iterable[str]], signs: str = "#@") -> Completes:
    """Return what completes the last word of an argument, which one of the ``signs`` may precede, with one ``of``."""

    def completes(argument: str) -> Iterable[str]:
        before, space, word = argument.rpartition(" ")
        sign = word[:1] if word[:1] in tuple(signs) else ""
        begun = fold(word.removeprefix(sign))
        return [f"{before}{space}{sign}{name}" for name in of() if fold(name).startswith(begun)]

    return completes


def behind_first(completes: Completes) -> Completes:
    """Return what completes all but the first word of an argument as ``completes`` does."""

    def behind(argument: str) -> Iterable[str]:
        first, space, rest = argument.partition(" ")
        return [f"{first} {found}" for found in completes(rest)] if space else []

    return behind


def files(path: str) -> list[str]:
    """Return the files that ``path``, which is not finished, may become; hidden ones only for who writes the dot."""
    folder, slash, begin = path.rpartition("/")
    try:
        with os.scandir(Path(f"{folder}{slash}" or ".").expanduser()) as found:
            names = [
                entry.name + "/" * entry.is_dir()
                for entry in found
                if entry.name.startswith(begin) and (begin or not entry.name.startswith("."))
            ]
    except (OSError, RuntimeError, ValueError):  # there is no such folder, or no such user's
        return []
    return [f"{folder}{slash}{name}" for name in sorted(names) if safe_line(name) == name][:FILES]
