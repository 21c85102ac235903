"""Keeping order, as values: who is banned, muted, or let into a private room, and who did that. Knows of no database.

What is done is a deed, and stands in the audit log with who did it; it never tells what was said in a message.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from storage.changes import Kicked, Ruled


class Kind(StrEnum):
    """Of a sanction: what somebody may not."""

    BAN = "ban"  # log in
    MUTE = "mute"  # send


@dataclass(frozen=True, slots=True)
class Sanction:
    """``whom`` is a user (folded) or, of a ban, a network of addresses (``192.0.2.0/24``, ``192.0.2.1/32``)."""

    kind: Kind
    whom: str
    until: int | None  # milliseconds since 1970-01-01 UTC; None: for good
    reason: str
    by: str  # as shown
    at: int  # milliseconds since 1970-01-01 UTC


class Rule:
    """A deed after which the rules are to be read anew."""

    __slots__ = ()
    change = Ruled()  # what the other servers hear


@dataclass(frozen=True, slots=True)
class Impose(Rule):
    """A sanction; it takes the place of one of the same kind."""

    sanction: Sanction


@dataclass(frozen=True, slots=True)
class Lift(Rule):
    """No such sanction any more."""

    kind: Kind
    whom: str


@dataclass(frozen=True, slots=True)
class Expel:
    """All connections of a user (folded) end."""

    user: str
    reason: str

    @property
    def change(self) -> Kicked:
        """What the other servers hear."""
        return Kicked(self.user, self.reason)


@dataclass(frozen=True, slots=True)
class Close(Rule):
    """The room with that key is private from now on, or open to all where ``private`` is false."""

    room: int
    private: bool = True


@dataclass(frozen=True, slots=True)
class Invite(Rule):
    """A user (folded) may be in a private room."""

    room: int
    user: str


@dataclass(frozen=True, slots=True)
class Uninvite(Rule):
    """A user (folded) may not be in a private room any more."""

    room: int
    user: str


@dataclass(frozen=True, slots=True)
class Disown(Rule):
    """A user (folded) has no account any more: who takes that name later is invited nowhere, and made no room."""

    user: str


Deed = Impose | Lift | Expel | Close | Invite | Uninvite | Disown


@dataclass(frozen=True, slots=True)
class Act:
    """A row of the audit log: at that time ``by`` did what the command ``order`` does, to ``whom``."""

    at: int  # milliseconds since 1970-01-01 UTC
    by: str  # as shown
    order: str
    whom: str
    room: str = ""  # its name, where it is about one
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Ruling:
    """Do all of ``deeds``, and note who did that. Outcome: True."""

    act: Act
    deeds: tuple[Deed, ...]
