"""Names as one tells them apart: their colours, and which of them look like another's."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final
from unicodedata import category, name, normalize
from zlib import crc32

from cli.screen.themes import COLOURS
from wire.names import MAX_NAME, fold

MOST: Final = 10_000  # names that are remembered: more than anybody tells apart

# Letters that are drawn like those of ASCII, small or large. Wider and accented ones are ASCII by then.
_DRAWN_LIKE: Final = {
    "a": "аαɑ", "b": "вьβ", "c": "сϲ", "d": "ԁđ", "e": "еεє", "g": "ɡց", "h": "нһհħ", "i": "іιıɩ", "j": "јյϳ",
    "k": "кκ", "l": "1ł", "m": "мμ", "n": "пηոռ", "o": "оοօø0", "p": "рρք", "q": "ԛզ", "r": "г", "s": "ѕ", "t": "тτ",
    "u": "υսц", "v": "ѵν", "w": "ԝωш", "x": "хχ", "y": "уγү", "z": "ζ", "3": "зӡ",
}  # fmt: skip
_LIKE: Final = str.maketrans({c: letter for letter, alike in _DRAWN_LIKE.items() for c in alike})
_CONFUSED: Final = {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "COPTIC", "CHEROKEE"}  # no name needs two of them


def colour(of: str) -> str:
    """Return the style of a name: the same for every spelling, everywhere and always."""
    return f"name {crc32(fold(of).encode(errors='replace')) % COLOURS}"


class Names:
    """The names that were shown, the ``own`` one before all."""

    def __init__(self, own: str = "") -> None:
        self._own = fold(own)
        self._own_looks = _skeleton(self._own)
        self._shown: OrderedDict[str, str] = OrderedDict()  # folded, by how they look, as they were last shown

    def is_alike(self, of: str) -> bool:
        """Remember a name, and return whether it only looks like another one: ``аnn`` with a Cyrillic а.

        A name in plain ASCII never does. Another one does where it mixes alphabets that have letters in common, or
        looks like one that was shown before.
        """
        if len(of) > MAX_NAME:  # no server that is honest lets it in
            return True
        folded = fold(of)
        looks = _skeleton(folded)
        if folded.isascii() or looks not in self._shown:
            self._shown[looks] = self._own if looks == self._own_looks else folded
        self._shown.move_to_end(looks)
        if len(self._shown) > MOST:
            self._shown.popitem(last=False)
        return not folded.isascii() and (self._shown[looks] != folded or _mixes(folded))


def _skeleton(folded: str) -> str:
    bare = "".join(c for c in normalize("NFD", folded) if not category(c).startswith("M"))
    return bare.translate(_LIKE)


def _mixes(folded: str) -> bool:
    alphabets = {name(c, "").partition(" ")[0] for c in folded if category(c).startswith("L")}
    return len(alphabets & _CONFUSED) > 1
