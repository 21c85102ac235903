"""Text of which terminals do not agree how many columns it takes: some emoji, and scripts that join their letters."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

_ROW: Final = re.compile(r"\x1b\[\d+;1H")  # where one begins in a frame
_WIPE: Final = "\x1b7\x1b[0m\x1b[2K\x1b8"  # the style is as before
_BEYOND_LATIN: Final = re.compile("[^\x00-\u02ff]")
# Greek, Cyrillic, Chinese, Japanese, Korean and what we draw ourselves. As one regular expression it takes milliseconds
# to compile, at each start.
_SURE: Final = (
    ("\u0370", "\u052f"), ("\u2010", "\u2026"), ("\u2190", "\u2193"), ("\u2248", "\u2248"), ("\u2400", "\u2426"),
    ("\u2500", "\u257f"), ("\u3000", "\u9fff"), ("\uac00", "\ud7a3"),
)  # fmt: skip


def wiped(frame: str) -> str:
    """Return ``frame``, which draws rows from their first column on, with each row wiped first that holds such text.

    Where the terminal takes fewer columns for it than we do, something of what was there would stay at the end.
    """
    if not _is_unsure(frame):
        return frame
    starts = [*(row.end() for row in _ROW.finditer(frame)), len(frame)]
    rows = (frame[start:end] for start, end in pairwise(starts))
    return frame[: starts[0]] + "".join(_WIPE + row if _is_unsure(row) else row for row in rows)


def _is_unsure(text: str) -> bool:
    return any(not any(first <= c <= last for first, last in _SURE) for c in set(_BEYOND_LATIN.findall(text)))
