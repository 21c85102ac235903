"""Lines without columns, to be copied whole: the terminal itself wraps them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from cli.screen.lines import PART, Line
from wire.text import safe, safe_line

_INSIDE: Final = "\n  "  # before all rows of a message but the first, so that none can pass for another message


def bare(lines: Iterable[Line]) -> str:
    """Return ``lines`` as one harmless text, with rows as long as their senders made them."""
    text, before = "", ""
    for line in lines:
        if line.name:
            text += f"\n{line.clock} {safe_line(line.name)} "
        elif len(before) < PART and not before.endswith(" "):  # else cut within a row
            text += _INSIDE
        text += safe(line.text).replace("\n", _INSIDE)
        before = line.text
    return text.removeprefix("\n")
