"""Names that look alike have one likeness, others have not."""

from __future__ import annotations

from unicodedata import normalize
from unittest import TestCase

from storage.likeness import MAX_LIKENESS, likeness
from wire.names import MAX_NAME, BadName, canonical

ALIKE = (
    ("ann", "ANN", "\u0430nn", "\u0391nn", "\u0410NN", "\u03b1nn", "\uff41\uff4e\uff4e"),  # Cyrillic, Greek, wide
    ("bob", "\u0412ob", "b0b", "B\u041eB", "bo\u042c"),
    ("paypal", "\u0440\u0430\u0443\u0440\u0430l", "paypa1", "paypaI"),
    ("kim", "kirn"),
    ("\u00e9lan", "e\u0301lan"),
)
APART = (
    "ann",
    "anna",
    "am",
    "bob",
    "bop",
    "\u00e5nn",
    "\u00e4nn",
    "ian",
    "lan",
    "i",
    "l",
    "o",
    "\u65e5\u672c",
    "\u65e5",
)


class LikenessTests(TestCase):
    def test_alike(self) -> None:
        for first, *others in ALIKE:
            for other in others:
                with self.subTest(first=first, other=other):
                    self.assertEqual(likeness(canonical(other)), likeness(canonical(first)))

    def test_apart(self) -> None:
        self.assertEqual(len({likeness(name) for name in APART}), len(APART))

    def test_the_longest_fits(self) -> None:
        longest = 0
        for code in range(0x110000):
            try:
                name = canonical(normalize("NFKC", f"a{chr(code)}"))
            except (BadName, ValueError):
                continue
            longest = max(longest, len(likeness(name)) - 1)
        self.assertLessEqual(1 + (MAX_NAME - 1) * longest, MAX_LIKENESS)
