"""What every order is, who asks for one, and how its words are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

from server.refusals import Refused, named
from server.room import Room
from storage.interface import Role
from storage.order import Act, Deed, Ruling
from storage.schema import MAX_REASON
from wire.names import fold

if TYPE_CHECKING:
    from server.connection import Connection
    from server.questions import Asked

_TIME: Final = r"0*([1-9]\d{0,3})\s?([mhdw])(?:in|(?:inute|our|ay|eek)s?)?(?:\s+|$)"
_FOR: Final = re.compile(rf"for\s+{_TIME}", re.ASCII | re.IGNORECASE)
_BEGINS: Final = re.compile(rf"for(?:\s+\d|$)|{_TIME}", re.ASCII | re.IGNORECASE)
_UNITS: Final = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}  # seconds


class Standing(IntEnum):
    """Who may run an order: these, and all above them."""

    GUEST = 0  # anybody
    ACCOUNT = 1
    OPERATOR = 2


class WrongUsage(Exception):
    """The words behind an order's name are none that it takes."""


class Asker:
    """Who runs an order, and in which room; ``by`` is how they are shown."""

    def __init__(self, connection: Connection, room: str) -> None:
        self.connection = connection
        self.server = connection.server
        self.by = connection.user
        self._room = room

    @property
    def standing(self) -> Standing:
        """What they may run."""
        account = self.connection.account
        if account is None:
            return Standing.GUEST
        return Standing.OPERATOR if account.role is Role.OPERATOR else Standing.ACCOUNT

    @property
    def is_operator(self) -> bool:
        """Whether they may do anything."""
        return self.standing is Standing.OPERATOR

    @property
    def room(self) -> Room:
        """The room in which it is run; raises :class:`Refused` where they are not in it."""
        return self.connection.cursor(self._room).room

    def somebody_else(self, name: str) -> str:
        """Return another user's name as it is kept; raises :class:`Refused`, :class:`WrongUsage`."""
        user = user_of(name)
        if fold(user) == fold(self.by):
            raise Refused("forbidden", "that is you")
        return user

    def act(self, order: str, whom: str, reason: str = "", room: str = "") -> Act:
        """Return what is noted of it in the audit log."""
        return Act(self.server.now(), self.by, order, whom, room, reason)

    async def turn(self) -> None:
        """Wait where somebody orders very much of what all servers, or all in a room, have to look at.

        Raises :class:`Refused`.
        """
        if not self.is_operator:
            await self.server.addresses.turn(self.connection.network)

    async def rule(self, act: Act, *deeds: Deed) -> None:
        """Do that, on all servers, and note it; raises :class:`Refused`."""
        await self.turn()
        await self.server.rule(Ruling(act, deeds))


def give(connection: Connection, asked: Asked, work: Callable[[], Coroutine[Any, Any, bytes]]) -> None:
    """Have what ``connection`` ordered done when its user's turn has come, and answered by the frames it returns."""
    connection.questions.do(asked, connection.server.one_by_one.do(fold(connection.user), work))


Run = Callable[[Asker, str], Coroutine[Any, Any, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Order:
    """``run`` gets who asks and the words behind its name, and returns the lines of its answer.

    ``usage`` is its name and what it takes; ``help`` a sentence.
    """

    usage: str
    help: str
    standing: Standing
    run: Run

    @property
    def name(self) -> str:
        """What it is called."""
        return self.usage.partition(" ")[0]


def first(words: str) -> tuple[str, str]:
    """Return the first word and the rest."""
    word, *rest = words.split(None, 1) or [""]
    return word, rest[0] if rest else ""


def user_of(word: str) -> str:
    """Return the name of a user as it is kept, written as ``bob`` or as ``@bob``, which cannot be an address.

    Raises :class:`Refused`, :class:`WrongUsage`.
    """
    if not word:
        raise WrongUsage
    return named(word.removeprefix("@"))


def span(words: str, now: int) -> tuple[int | None, str]:
    """Read ``for 2h``: return when it is over (ms since 1970), None for never, and the rest of the words.

    Raises :class:`WrongUsage` where that begins so and is no time, or with a time alone: nobody means that to be for
    good.
    """
    found = _FOR.match(words)
    if found is None:
        if _BEGINS.match(words):
            raise WrongUsage
        return None, words
    return now + int(found[1]) * _UNITS[found[2].lower()] * 1000, words[found.end() :]


def reasoned(words: str) -> str:
    """Return a reason as it is kept: one line; raises :class:`Refused` where it is too long."""
    reason = " ".join(words.split())
    if len(reason) > MAX_REASON:
        raise Refused("bad_frame", f"a reason has at most {MAX_REASON} characters")
    return reason
