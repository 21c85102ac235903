"""What a person may choose."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


def setting(default: Any, help: str) -> Any:
    """Return a field of :class:`Settings`: what it is if nobody says anything, and what it does, in a line."""
    if isinstance(default, list):
        return field(default_factory=default.copy, metadata={"help": help})
    return field(default=default, metadata={"help": help})


@dataclass
class Settings:
    """All that a person may choose about the terminal interface. Whoever needs one reads it when it needs it."""

    theme: str = setting("dark", "colours: dark, light or mono")
    highlight: list[str] = setting([], "words that count as a mention, beside your name")
    paste_lines: int = setting(5, "a paste of more lines than this is asked about first")
    room_list: str = setting("auto", "a column with the rooms: auto (on wide screens), on or off")
    bell: bool = setting(True, "ring where somebody mentions you")
    notify: str = setting("off", "tell the terminal's own notifications of a mention: off, osc9 or osc777")
    alert: str = setting("mention", "what rings: mention, or all for whatever comes in a room that is not shown too")
    screen: str = setting("raw", "what draws, from the next start on: raw, or curses for what only terminfo knows")
    mouse: bool = setting(True, "the wheel scrolls and a click selects; with Shift the terminal selects text as ever")
