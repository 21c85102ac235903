"""The commands that one types: lines that begin with ``/``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple


class Command(NamedTuple):
    """What a command does with the rest of its line, and how ``/help`` tells it."""

    name: str
    run: Callable[[str], object]
    help: str
    takes: str = ""

    @property
    def usage(self) -> str:
        """How it is written: ``/save ID [FILE]``."""
        return f"/{self.name} {self.takes}".rstrip()


class Commands:
    """All commands by their names, in the order in which they are told of."""

    def __init__(self) -> None:
        self._commands: dict[str, Command] = {}

    def add(self, name: str, run: Callable[[str], object], help: str, takes: str = "") -> None:
        """Have ``/name``, which calls ``run`` with the rest of its line."""
        self._commands[name] = Command(name, run, help, takes)

    def __iter__(self) -> Iterator[Command]:
        return iter(self._commands.values())

    def get(self, name: str) -> Command | None:
        """Return the command of that name, if there is one."""
        return self._commands.get(name)
