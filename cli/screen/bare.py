"""Lines without columns, to be copied whole: the terminal itself wraps them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from cli.screen.lines import PART, Line
from wire.text import safe, safe_line

_INSIDE: Final = "\n  "  # before all rows of a message but the first, so that none can pass for another message


def bare(lines: Iterable[Line]) -> str:
    """Return ``lines`` as one harmless text, with rows as long as their senders made them."""
    messages: list[tuple[str, str]] = []  # how each begins, and its text
    before = ""
    for line in lines:
        if line.name or not messages:
            messages.append((f"{line.clock} {safe_line(line.name)} " if line.name else "", line.text))
        else:
            begin, text = messages.pop()
            is_cut = len(before) == PART or before.endswith(" ")  # within a row
            messages.append((begin, text + ("" if is_cut else "\n") + line.text))
        before = line.text
    return "\n".join(begin + safe(text).replace("\n", _INSIDE) for begin, text in messages)
