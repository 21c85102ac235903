"""What was typed before."""

from __future__ import annotations

from typing import Final

RECALLED: Final = 1000  # inputs that Up goes back through


class Recall:
    """What was typed before, to be had again. A half-written line is the newest of it, and is not lost."""

    def __init__(self) -> None:
        self._entered: list[str] = []
        self._written: list[str] = [""]  # the entered lines as they were changed since, then the one being written
        self._place = 0

    def enter(self, text: str) -> None:
        """Keep ``text``, which is finished."""
        if text and self._entered[-1:] != [text]:
            self._entered.append(text)
            del self._entered[:-RECALLED]
        self._written = [*self._entered, ""]
        self._place = len(self._entered)

    def step(self, by: int, text: str) -> str:
        """Leave ``text`` where it is and return the line ``by`` places further on, or ``text`` at either end."""
        self._written[self._place] = text
        self._place = max(0, min(self._place + by, len(self._entered)))
        return self._written[self._place]
