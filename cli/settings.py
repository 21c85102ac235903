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
