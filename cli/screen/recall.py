"""What one writes in a room: the half-written text, and going back through what was typed before."""

from __future__ import annotations

import re
from typing import Final

from cli.screen.editing import LONG, Buffer, KillRing
from cli.screen.entered import Entered
from cli.screen.paste import Pasted
from wire.text import safe_line

WORDS: Final = 200  # characters that are searched for: a paste may have millions


class Recall:
    """The text that is being written in one room, and the way back through ``entered``, which all rooms share.

    Older texts may be changed while one looks at them; what became of them is forgotten when something is entered. The
    half-written text stays the newest until it is entered itself.
    """

    def __init__(self, entered: Entered, ring: KillRing) -> None:
        self._entered = entered
        self._ring = ring
        self._draft = Buffer(ring)
        self._looked_at: dict[int, Buffer] = {}  # by their numbers there
        self.number: int | None = None  # of the one that is looked at, None for the half-written one

    @property
    def buffer(self) -> Buffer:
        """The text that is looked at."""
        return self._draft if self.number is None else self._looked_at[self.number]

    @property
    def draft(self) -> str:
        """What is half-written."""
        return self._draft.whole

    def go(self, number: int | None) -> None:
        """Look at the text of that number."""
        if number is not None and number not in self._looked_at:
            self._looked_at[number] = Buffer(self._ring, self._entered[number])
        self.number = number

    def step(self, by: int) -> bool:
        """Look at the text ``by`` places further on; False where there is none."""
        end = self._entered.end
        number = (end if self.number is None else self.number) + by
        if not self._entered.first <= number <= end:
            return False
        self.go(None if number == end else number)
        return True

    def take(self) -> str:
        """Return the text that is looked at, which is finished; then look at what is half-written."""
        text = self.buffer.whole
        if self.number is None:
            self._draft = Buffer(self._ring)
        self._looked_at.clear()
        self.number = None
        return text

    def find(self, words: str, by: int, number: int | None) -> int | None:
        """Return the number of the next text with ``words`` in it, in any case, from ``number`` on by ``by``.

        Of a very long text the beginning is looked at: else a key would wait for seconds.
        """
        end = self._entered.end
        look = pattern(words).search
        at = end - (by < 0) if number is None else number
        while self._entered.first <= at < end:
            if look(self._entered[at], 0, LONG):
                return at
            at += by
        return None


def pattern(words: str) -> re.Pattern[str]:
    """Return what finds ``words`` in any case."""
    return re.compile(re.escape(words), re.IGNORECASE)


class HistorySearch:
    """Looks for words in what was typed before while they are typed, as readline does."""

    over = False

    def __init__(self, recall: Recall) -> None:
        self._recall = recall
        self._began = recall.number, recall.buffer.cursor
        self._words = ""
        self._by = -1
        self._failed = False

    @property
    def prompt(self) -> str:
        """What is told meanwhile."""
        what = "nothing has" if self._failed else "search back for" if self._by < 0 else "search on for"
        return f"{what}: {safe_line(self._words)} (Enter takes what is found, Esc goes back)"

    def again(self, by: int) -> None:
        """Go to the next that has the words, back or on."""
        self._by = by
        if self._words:
            number = self._recall.number
            self._look(None if number is None else number + by)

    def press(self, key: str) -> bool:
        """Take ``key``; False for one that is not about searching, which does what it does to what was found."""
        match key:
            case Pasted():  # it may read like a key's name
                self._words = (self._words + key.partition("\n")[0])[:WORDS]
                self._look(self._recall.number)
            case "enter":
                self.over = True
            case "esc" | "ctrl g" | "ctrl c":
                self._go_back()
                self.over = True
            case "backspace":
                self._words = self._words[:-1]
                self._go_back()
                self._look(self._recall.number)
            case _:
                return False
        return True

    def _go_back(self) -> None:
        number, cursor = self._began
        self._recall.go(number)
        self._recall.buffer.go(cursor)

    def _look(self, number: int | None) -> None:
        found = self._recall.find(self._words, self._by, number) if self._words else None
        self._failed = bool(self._words) and found is None
        if found is not None:
            self._recall.go(found)
            place = pattern(self._words).search(self._recall.buffer.text)
            self._recall.buffer.go(place.start() if place else 0)
