"""The commands that one types: lines that begin with ``/``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from cli.words import nearest

ELSEWHERE: Final = {
    "part": "leave", "close": "leave", "query": "msg", "names": "who", "list": "rooms", "exit": "quit",
}  # fmt: skip  # what other clients call it

Completes = Callable[[str], Iterable[str]]
"""Gets the rest of a line as far as it is typed, and returns what it could become, the likeliest first."""

Tells = Callable[[str], str]
"""Gets the rest of a line that was completed, and returns what that means; nothing where it does not know."""


class Command(NamedTuple):
    """What a command does with the rest of its line, and how ``/help`` tells it, under which ``subject``.

    Where nothing ``completes`` it, people's names are offered; what Tab put in, it ``tells`` in words. The lines of a
    ``private`` one are kept nowhere: somebody may type a password behind it.
    """

    name: str
    run: Callable[[str], object]
    help: str
    takes: str = ""
    completes: Completes | None = None
    subject: str = "besides"
    private: bool = False
    tells: Tells | None = None

    @property
    def usage(self) -> str:
        """How it is written: ``/save ID [FILE]``."""
        return f"/{self.name} {self.takes}".rstrip()


class Commands:
    """All commands by their names, in the order in which they are told of."""

    def __init__(self) -> None:
        self._commands: dict[str, Command] = {}

    def add(
        self,
        name: str,
        run: Callable[[str], object],
        help: str,
        takes: str = "",
        completes: Completes | None = None,
        *,
        subject: str = "besides",
        private: bool = False,
        tells: Tells | None = None,
    ) -> None:
        """Have ``/name``, which calls ``run`` with the rest of its line."""
        self._commands[name] = Command(name, run, help, takes, completes, subject, private, tells)

    def __iter__(self) -> Iterator[Command]:
        return iter(self._commands.values())

    def get(self, name: str) -> Command | None:
        """Return the command of that name, if there is one."""
        return self._commands.get(name)

    def nearest(self, name: str) -> str | None:
        """Return the name that was probably meant by ``name``, which is none."""
        return ELSEWHERE.get(name) or nearest(name, self._commands)
