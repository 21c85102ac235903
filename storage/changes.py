"""What is no message, and the servers on one database must hear of each other all the same."""

from __future__ import annotations

import msgspec

from storage.talks import Talk


class Presence(msgspec.Struct, frozen=True, tag="presence"):
    """Who is at this server came into a room or left it; ``name`` is the room's."""

    room: int
    name: str
    came: list[str]
    went: list[str]


class Here(msgspec.Struct, frozen=True, tag="here"):
    """All who are at this server stand in the tables anew."""


class Replaced(msgspec.Struct, frozen=True, tag="replaced"):
    """The ``client`` (SHA-256 of its secret) of a user (folded) logged in here, and has that ``epoch`` now."""

    user: str
    client: bytes
    epoch: int


class Deleted(msgspec.Struct, frozen=True, tag="deleted"):
    """A message of the room with that key has no content any more; ``by`` is the user who deleted it, as shown."""

    room: int
    id: int
    by: str


class Kicked(msgspec.Struct, frozen=True, tag="kicked"):
    """The user (folded) is to go, with all connections; ``reason`` is for a person.

    Where the account has changed, ``spared`` is its :attr:`~storage.Account.mark` now, empty where there is none any
    more: who logged in after that stays, however late this is heard. None spares nobody.
    """

    user: str
    reason: str = ""
    spared: bytes | None = None


class Called(msgspec.Struct, frozen=True, tag="called"):
    """Something was said in a talk of two, the room with that key: who of them is not in it gets it from ``id`` on."""

    room: int
    id: int
    talk: Talk


class Ruled(msgspec.Struct, frozen=True, tag="ruled"):
    """Who is banned or muted, or may be in private rooms, is to be read anew."""


class Registered(msgspec.Struct, frozen=True, tag="registered"):
    """The user of that name, as shown, has an account now; who is logged in as that has it too."""

    name: str
    role: str
    created_at: int


Change = Presence | Here | Replaced | Deleted | Kicked | Registered | Ruled | Called
