"""Links in what others say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple
from unicodedata import category
from urllib.parse import quote

LONGEST_LINK: Final = 2083  # characters of an address: terminals take no longer one

_FOUND: Final = re.compile(r"""(?<!\w)(?:https?|ftp)://[^\s<>"]+""", re.IGNORECASE)
_CLOSES: Final = {")": "(", "]": "[", "}": "{"}
_ENDS: Final = "/#&%@-_"  # punctuation that may well be the end of an address
_LEFT_AS_IT_IS: Final = "%:/?#[]@!$&'()*+,;=~"  # what has a meaning of its own in an address


class Link(NamedTuple):
    """Where an address begins and ends in a text, and how a terminal is told it: in printable ASCII."""

    start: int
    end: int
    address: str


def links(text: str) -> Iterator[Link]:
    """Yield the addresses in ``text``, without what only ends the sentence: ``(see http://a.b/c_(d)).``"""
    for found in _FOUND.finditer(text):
        seen = _without_end(found[0])
        if not seen.endswith("://"):
            yield Link(found.start(), found.start() + len(seen), quote(seen, safe=_LEFT_AS_IT_IS))


def _without_end(address: str) -> str:
    while (last := address[-1]) not in _ENDS and category(last).startswith("P"):
        if last in _CLOSES and address.count(last) <= address.count(_CLOSES[last]):
            break
        address = address[:-1]
    return address
