"""Text made harmless for a terminal: applied by whoever shows what somebody else wrote."""

from __future__ import annotations

import re
from unicodedata import category

MAX_MARKS = 4  # in a row, of what has no column of its own; more would climb over the neighbouring lines

_REPLACED = "\ufffd"
# Drawn as nothing, or hiding what stands beside them. ZWJ (200D) and VS16 (FE0F) stay: emoji are made of them.
_DROPPED = "\xad\u180e\u200b\u2028\u2029\ufeff\ufff9\ufffa\ufffb\u115f\u1160\u3164\uffa0"
_DROPPED_RANGES = (
    (0x2060, 0x2065), (0x206A, 0x206F), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE007F),
)  # fmt: skip
# Controls of the eighth bit, what turns the direction of writing, and halves of pairs.
_MARKED = "\u061c\u200e\u200f"
_MARKED_RANGES = ((0x80, 0x9F), (0x202A, 0x202E), (0x2066, 0x2069), (0xD800, 0xDFFF))


def _each(single: str, ranges: tuple[tuple[int, int], ...]) -> list[int]:
    return [*map(ord, single), *(c for first, last in ranges for c in range(first, last + 1))]


_TABLE: dict[int, str | None] = {c: chr(0x2400 + c) for c in range(0x20) if chr(c) not in "\n\t\r"}
_TABLE[ord("\r")] = None
_TABLE[0x7F] = "\u2421"
_TABLE |= dict.fromkeys(_each(_DROPPED, _DROPPED_RANGES))
_TABLE |= dict.fromkeys(_each(_MARKED, _MARKED_RANGES), _REPLACED)

_HARMLESS = re.compile(r"[\n\t\x20-\x7e]*")
# What is put onto the letter before it beside the combining marks: joiners, and the Korean vowels and finals.
_ALSO_MARKS = re.compile("[\u200c\u200d\u1161-\u11ff\ud7b0-\ud7ff]")
# Marks are no word characters, and few others come so many in a row.
_MAYBE_MARKS = re.compile(rf"(?:[^\w\x00-\u02ff]|{_ALSO_MARKS.pattern}){{{MAX_MARKS + 1},}}")


def safe(text: str) -> str:
    """Return ``text`` without anything that moves a cursor, hides, reorders or piles up.

    Newlines and tabs stay, other controls become their pictures (U+2400…), C1 controls, bidirectional overrides and
    lone surrogates U+FFFD; invisible characters go, and of marks in a row (combining ones, joiners …) the first four
    stay.
    """
    if _HARMLESS.fullmatch(text):
        return text
    return _MAYBE_MARKS.sub(_without_piles, text.translate(_TABLE))


def safe_line(text: str) -> str:
    """Return ``text`` as :func:`safe` does, on one line: newlines and tabs are shown as pictures too."""
    return safe(text).replace("\n", "\u240a").replace("\t", "\u2409")


def _without_piles(run: re.Match[str]) -> str:
    kept, marks = [], 0
    for c in run[0]:
        marks = marks + 1 if category(c).startswith("M") or _ALSO_MARKS.match(c) else 0
        if marks <= MAX_MARKS:
            kept.append(c)
    return "".join(kept)
