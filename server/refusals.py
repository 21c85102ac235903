"""What a client is told when it cannot have what it asked for: an ``error`` frame, in one place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from msgspec import UNSET, structs

from wire.frames import Echo, Error, encode
from wire.names import BadName, canonical, room_name

AWAY: Final = "the database is away; ask again later"
NOT_STORED: Final = "the database will not have it; the operator finds the reason in the log"

told: Final[Counter[str]] = Counter()  # errors since the process began, by code


class Refused(Exception):
    """What a client asked for is refused: the protocol's code, and a text for a person."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def named(name: str, rule: Callable[[str], str] = canonical) -> str:
    """Return ``name`` as it is kept; raises :class:`Refused`."""
    try:
        return rule(name)
    except BadName as bad:
        raise Refused("bad_name", str(bad)) from None


def error(code: str, text: str, echo: Echo | None, *, fatal: bool = False) -> bytes:
    """Return an ``error`` frame, encoded; it counts as told."""
    told[code] += 1
    repeated = structs.asdict(echo) if echo else {}
    return encode(Error(code, text, fatal=True if fatal else UNSET, **repeated))


def echo_of(frame: Any) -> Echo:
    """Return what an error repeats of a frame."""
    return valid_echo(Echo(**{name: getattr(frame, name, UNSET) for name in Echo.__struct_fields__}))


def valid_echo(echo: Echo) -> Echo:
    """Return ``echo`` without a room that is no name."""
    if isinstance(echo.room, str):
        try:
            echo.room = room_name(echo.room)
        except BadName:
            echo.room = UNSET
    return echo
