"""Talks of two: rooms that two accounts share, each of whom sees it under the other's name.

It is one room with one log, under a name of its own that nobody can ask for.
"""

from __future__ import annotations

from base64 import b32encode
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from wire.names import MAX_NAME, TALK, fold

if TYPE_CHECKING:
    from storage.interface import Account

_DRAWN: Final = MAX_NAME - len(TALK)  # characters of 5 bits


class Party(Struct, frozen=True):
    """One of the two: an account's ``name`` as it is shown, and when it was made (ms since 1970)."""

    name: str
    created_at: int

    @property
    def user(self) -> str:
        """The folded name."""
        return fold(self.name)

    def is_of(self, account: Account | None) -> bool:
        """Say whether this is ``account``, and not one that had or will have its name."""
        return account is not None and (account.user, account.created_at) == (self.user, self.created_at)


class Talk(Struct, frozen=True):
    """The talk of two accounts, ``one`` and ``two``, in the order of their folded names."""

    one: Party
    two: Party

    @classmethod
    def between(cls, account: Account, other: Account) -> Talk:
        """Return the talk of two accounts; who has one of their names later has another."""
        return cls.of(Party(account.name, account.created_at), Party(other.name, other.created_at))

    @classmethod
    def of(cls, party: Party, other: Party) -> Talk:
        """Return the talk of these two."""
        one, two = sorted((party, other), key=lambda it: it.user)
        return cls(one, two)

    @property
    def parties(self) -> tuple[Party, Party]:
        """Both."""
        return self.one, self.two

    @property
    def name(self) -> str:
        """What the room is called where it is kept; it is its folded name too."""
        both = "\n".join(f"{party.user} {party.created_at}" for party in self.parties)
        return TALK + b32encode(sha256(both.encode()).digest()).decode().lower()[:_DRAWN]

    def called(self, user: str) -> str:
        """Return what a user (folded), one of the two, calls it."""
        return TALK + (self.two if user == self.one.user else self.one).name
