"""Words that one wants to see."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator


class Highlights:
    """Finds ``words`` (one's own name, and what else one waits for) in what others say, in any case."""

    def __init__(self, words: Iterable[str]) -> None:
        self.take(words)

    def take(self, words: Iterable[str]) -> None:
        """Find ``words`` from now on."""
        found = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True) if word)
        self._words = re.compile(rf"(?<!\w)(?:{found})(?!\w)" if found else "(?!)", re.IGNORECASE)

    def match(self, text: str) -> bool:
        """Return whether one of them is in ``text``."""
        return self._words.search(text) is not None

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where each of them begins and ends."""
        return (match.span() for match in self._words.finditer(text))
