"""What a client tells of itself, and who is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from twisted.internet.defer import Deferred, succeed

Progress = Callable[[int, int | None], None]
"""Told how many bytes are done (stored by the server, or written), and how many there are, None while unknown."""


class State(Enum):
    """How it stands with the connection."""

    CONNECTING = "connecting"  # for the first time
    LIVE = "live"
    BEHIND = "behind"  # logged in, and there are messages that were not read yet
    LOST = "lost"  # tries again by itself
    CLOSED = "closed"  # for good


@dataclass(frozen=True, slots=True)
class Status:
    """How it stands with a client."""

    state: State
    behind: int  # messages that it knows of and that were not read yet
    unsent: int  # messages sent that are not known to be stored yet
    since: float  # when the state began, in seconds since 1970-01-01 UTC
    retry_at: float | None  # when it tries again by the reactor's clock, if lost; None while it tries
    reason: str  # why it is lost or closed, for a person
    lag: float | None  # seconds that the server took to answer the last ping, or has been taking
    refused: bool = False  # lost by what the server said, or is not believed in; else only gone, or not reached


class Listener:
    """Who is told what happens; each method does nothing until it is overridden."""

    def status_changed(self, status: Status) -> None:
        """The status is another one now."""

    def presence(self, room: str, joined: list[str], left: list[str], users: int) -> None:
        """People came and went; there are ``users`` in the room now. Names may be missing in a large room."""

    def notice(self, code: str, text: str) -> None:
        """The server has something to say, or refuses what nobody waits for."""

    def room_opened(self, room: str, first_id: int, last_id: int) -> None:
        """We are in the room, and these ids are kept there; everything above ``last_id`` is live."""

    def room_left(self, room: str) -> None:
        """We are in the room no more, and did not ask for that."""

    def deleted(self, room: str, id: int, by: str) -> None:
        """A message has no content any more: ``by`` deleted it."""

    def password(self, why: str) -> Deferred[str | None]:  # noqa: ARG002
        """The server wants a password, or another one; fires with it, None where there is none."""
        return succeed(None)

    def resent(self, room: str, what: str) -> None:
        """An earlier run left ``what``, a text or a file's name, without knowing it stored; it is being sent now."""
