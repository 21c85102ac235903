"""Names of users, rooms and files: which are allowed, and which two are one.

The rules are section 8 of ``docs/protocol.md``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from unicodedata import category, combining, normalize

MAX_NAME = 32  # characters after NFKC
MAX_WRITTEN = 4 * MAX_NAME  # characters before it: no more than four become one
MAX_FILE_NAME = 255  # bytes in UTF-8
TALK = "@"  # before a user's name: the talk of two with them, which is a room
STEP = 200  # characters that are folded at once: whatever they are, they take a fraction of a millisecond

# Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties.txt: drawn as nothing, so two names would look alike.
_IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", re.ASCII)
_BAD_IN_FILE_NAME = re.compile(r"[/\\\x00-\x1f\x7f-\x9f]")


class BadName(ValueError):
    """What was given is no name; the text says why, for a person."""


def canonical(name: str) -> str:
    """Return ``name`` as it is kept and shown (NFKC).

    Raises :class:`BadName` unless it is 1–32 letters, marks, digits and ``_ - .`` that begin with a letter, a digit
    or ``_``.
    """
    shown = normalize("NFKC", name) if len(name) <= MAX_WRITTEN else name
    if not 1 <= len(shown) <= MAX_NAME:
        raise BadName(f"a name has 1 to {MAX_NAME} characters")
    if _PLAIN.fullmatch(shown):
        return shown
    if _IGNORABLE.search(name) or _IGNORABLE.search(shown):
        raise BadName("a name has no invisible characters")
    kinds = ["L" if category(c)[0] == "L" else "M" if category(c)[0] == "M" else category(c) for c in shown]
    if not all(kind in ("L", "M", "Nd") or c in "_-." for kind, c in zip(kinds, shown, strict=True)):
        raise BadName("a name has letters, digits and _ - . only")
    if not (kinds[0] in ("L", "Nd") or shown[0] == "_"):
        raise BadName("a name begins with a letter, a digit or _")
    return shown


def room_name(name: str) -> str:
    """Return a room's name, or ``@`` and a user's, as it is kept and shown; raises :class:`BadName`."""
    return TALK + canonical(name[len(TALK) :]) if name.startswith(TALK) else canonical(name)


def fold(text: str) -> str:
    """Return what two spellings of one name (or of one searched word) have in common: NFKC(casefold(NFKC))."""
    if text.isascii():
        return text.lower()
    return _folded(text) if len(text) <= STEP else "".join(folding(text))


def folding(text: str) -> Iterator[str]:
    """Yield :func:`fold` of ``text`` in pieces, some of them empty, so that others have their turn between.

    The next one takes a fraction of a millisecond, and what is at the end of a pile of marks a few.
    """
    start = end = 0
    while start < len(text):
        end += STEP
        while end < len(text) and not _stands_alone(text[end]):
            end += 1
            if not (end - start) % STEP:
                yield ""
        piece = text[start:end]
        if len(piece) > 2 * STEP:
            parts = []
            for part in _in_order(piece):
                parts.append(part)
                yield ""
            piece = "".join(parts)
        yield _folded(piece)
        start = end


def _folded(text: str) -> str:
    shown = normalize("NFKC", text)
    folded = shown.casefold()
    return shown if folded == shown else normalize("NFKC", folded)  # most scripts have no case


def _in_order(text: str) -> Iterator[str]:
    """Yield ``text`` in NFKD, in pieces and in linear time: ``normalize`` sorts the marks on a letter each by each."""
    pile: dict[int, list[str]] = {}  # marks, by the class by which they are sorted
    for start in range(0, len(text), STEP):
        ordered: list[str] = []
        for c in normalize("NFKD", text[start : start + STEP]):
            if kind := combining(c):
                pile.setdefault(kind, []).append(c)
            else:
                ordered += _sorted(pile)
                ordered.append(c)
                pile.clear()
        yield "".join(ordered)
    yield "".join(_sorted(pile))


def _sorted(pile: dict[int, list[str]]) -> Iterator[str]:
    return chain.from_iterable(marks for _, marks in sorted(pile.items()))


def _stands_alone(character: str) -> bool:
    """Whether it becomes one with nothing that is before it: it is neither a mark nor the second half of a Hangul."""
    first = normalize("NFKD", character)[0]
    return category(first)[0] != "M" and not "\u1160" <= first <= "\u11ff"


def file_name(name: str) -> str:
    """Return ``name``; raises :class:`BadName` unless it is 1–255 bytes without slash, backslash and controls."""
    if not 1 <= len(name.encode()) <= MAX_FILE_NAME:
        raise BadName(f"a file's name has 1 to {MAX_FILE_NAME} bytes")
    if _BAD_IN_FILE_NAME.search(name):
        raise BadName("a file's name has no slash, backslash or control character")
    return name
