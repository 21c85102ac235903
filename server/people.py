"""Whether people talk: while they do, what is done for others rests now and then."""

from __future__ import annotations

from typing import Final

from twisted.internet.interfaces import IReactorTime

LULL: Final = 1.0  # seconds behind what somebody said, in which most likely somebody answers


class People:
    """Those who say little, as somebody does who types: such a one should not wait long for anybody else."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._talked_at = -LULL

    def talked(self) -> None:
        """One of them has said something."""
        self._talked_at = self._clock.seconds()

    @property
    def talk(self) -> bool:
        """Whether one of them has said something just now."""
        return self._clock.seconds() - self._talked_at < LULL
