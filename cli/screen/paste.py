"""What is pasted, taken out of the bytes that a terminal sends before they are made into keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime

SILENCE: Final = 3.0  # seconds without a byte after which a paste has ended, whether or not the terminal says so
LONGEST_PASTE: Final = 64 * 2**20  # bytes of one paste: no more than a small machine can hold a few times over

_BEGIN: Final = b"\x1b[200~"
_END: Final = b"\x1b[201~"


class Pasted(str):
    """A key that is a whole text: what was pasted at once, its lines ended by newlines alone."""

    __slots__ = ()


class TooLong(str):
    """The key in place of a paste that is longer than any may be."""

    __slots__ = ()


class Pastes:
    """Puts together what stands between the terminal's marks, however it is cut.

    ``give`` gets a paste whose end does not come: then what was gathered is all of it, and bytes are keys again.
    """

    def __init__(self, clock: IReactorTime, give: Callable[[str], None]) -> None:
        self._clock = clock
        self._give = give
        self._gathered: bytearray | None = None  # None outside of a paste
        self._too_long = False
        self._patience: IDelayedCall | None = None

    @property
    def open(self) -> bool:
        """Whether the end of a paste has not come yet."""
        return self._gathered is not None

    def take(self, data: bytes) -> Iterator[tuple[bytes, str | None]]:
        """Return what is in ``data``: the keys' bytes and the paste behind them, None behind the last."""
        keys = b""
        while data:
            if self._gathered is None:
                keys, begin, data = data.partition(_BEGIN)
                if begin:
                    self._gathered = bytearray()
            else:
                data, ended = self._gather(self._gathered, data)
                if ended:
                    yield keys, self._end()
                    keys = b""
        self._wait()
        yield keys, None

    def stop(self) -> None:
        """Wait for no end any more."""
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _gather(self, gathered: bytearray, data: bytes) -> tuple[bytes, bool]:
        """Take ``data`` up to the end of the paste; return what is behind it, and whether it was there."""
        looked = max(0, len(gathered) - len(_END) + 1)  # the mark may have begun in the last read
        gathered += data
        end = gathered.find(_END, looked)
        if end >= 0:
            rest = bytes(gathered[end + len(_END) :])
            del gathered[end:]
            return rest, True
        if len(gathered) > LONGEST_PASTE:
            self._too_long = True
            del gathered[: -len(_END)]
        return b"", False

    def _wait(self) -> None:
        self.stop()
        if self._gathered is not None:
            self._patience = self._clock.callLater(SILENCE, self._give_up)

    def _give_up(self) -> None:
        self._patience = None
        self._give(self._end())

    def _end(self) -> str:
        gathered, self._gathered = self._gathered or b"", None
        too_long, self._too_long = self._too_long, False
        text = gathered.decode(errors="replace")
        return TooLong() if too_long else Pasted(text.replace("\r\n", "\n").replace("\r", "\n"))
