"""Keys and pastes, made of the bytes that a terminal sends."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from urwid.display.escape import MoreInputRequired, process_keyqueue

from cli.screen.paste import Pasted, Pastes

Key = str | tuple[str, int, int, int]  # by urwid's names; a tuple is the mouse: what it did, button, column, row

PATIENCE: Final = 0.125  # seconds in which the rest of a key must come: Esc alone is a key as well


class Keyboard:
    """Tells ``give`` of the keys as they come, in their order; text that comes at once is one :class:`Pasted`.

    Pastes are taken out before urwid looks for keys: at 12 µs a character 5 MiB would take a minute. What the terminal
    answers to a question, a mode's number and its state, goes to ``answered``.
    """

    def __init__(
        self, clock: IReactorTime, give: Callable[[list[Key]], None], answered: Callable[[str, int], None]
    ) -> None:
        self._clock = clock
        self._give = give
        self._answered = answered
        self._pastes = Pastes(clock, lambda paste: give([paste]))
        self._begun = b""  # of a key
        self._waiting: IDelayedCall | None = None  # for the rest of it

    def take(self, data: bytes) -> None:
        """Take what the terminal sent."""
        begun, self._begun = self._begun, b""
        self._wait_no_more()
        keys: list[Key] = []
        for typed, paste in self._pastes.take(begun + data):
            keys += self._keys(typed, whole=paste is not None or self._pastes.open)
            if paste is not None:
                keys.append(paste)
        if keys:
            self._give(keys)

    def stop(self) -> None:
        """Wait for nothing any more."""
        self._begun = b""
        self._wait_no_more()
        self._pastes.stop()

    def _keys(self, typed: bytes, *, whole: bool) -> list[Key]:
        keys: list[Key] = []
        codes = list(typed)
        try:
            while codes:
                some, codes = process_keyqueue(codes, not whole)
                for key in some:
                    if isinstance(key, str) or len(key) == 4:
                        keys.append(key)
                    elif len(key) == 3 and key[0] == "private mode report":
                        self._answered(str(key[1]), key[2])
        except MoreInputRequired:
            self._begun = bytes(codes)
            self._waiting = self._clock.callLater(PATIENCE, self._give_up)
        return _runs(keys)

    def _give_up(self) -> None:
        self._waiting = None
        begun, self._begun = self._begun, b""
        self._give(self._keys(begun, whole=True))

    def _wait_no_more(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None


def _runs(keys: list[Key]) -> list[Key]:
    """Return ``keys`` with characters that came at once as one text.

    A terminal that does not mark a paste gives it like that.
    """
    runs: list[Key] = []
    for is_text, group in groupby(keys, lambda key: len(key) == 1):
        run = list(group)
        runs += [Pasted("".join(map(str, run)))] if is_text else run
    return runs
