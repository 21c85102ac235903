"""Words set in columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from urwid import calc_text_pos, calc_width

GAP = "  "


def in_columns(words: Sequence[str], width: int) -> Iterator[str]:
    """Yield lines of at most ``width`` columns, where they have one, with ``words`` below each other, row by row."""
    widest = max(map(width_of, words), default=0)
    count = max(1, (width + len(GAP)) // (widest + len(GAP)))
    for start in range(0, len(words), count):
        *row, last = words[start : start + count]
        yield GAP.join([*(_padded(word, widest) for word in row), last])


def aligned(table: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield a line for each row of ``table``, with what belongs together below each other."""
    widths = [max(map(width_of, column)) for column in zip(*table, strict=True)]
    for row in table:
        yield GAP.join(_padded(word, width) for word, width in zip(row, widths, strict=True)).rstrip()


def fitted(word: str, width: int) -> str:
    """Return as much of ``word`` as ``width`` columns have, with an ellipsis where that is not all."""
    if width_of(word) <= width:
        return word
    end, _ = calc_text_pos(word, 0, len(word), max(0, width - 1))
    return f"{word[:end]}…"


def width_of(word: str) -> int:
    """Return how many columns ``word`` takes."""
    return calc_width(word, 0, len(word))


def _padded(word: str, width: int) -> str:
    return word + " " * (width - width_of(word))
