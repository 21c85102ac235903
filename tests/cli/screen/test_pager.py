"""Long texts on their way to a pager."""

from __future__ import annotations

from io import BytesIO
from random import Random
from unittest import TestCase

from cli.screen.pager import PART, Harmless
from wire.text import safe


class Parts(BytesIO):
    """A file that remembers how much was written at once."""

    def __init__(self) -> None:
        super().__init__()
        self.longest = 0

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.longest = max(self.longest, len(data.decode()))
        return super().write(data)


def shown(content: bytes, at_once: int) -> Parts:
    file = Parts()
    harmless = Harmless(file)
    for start in range(0, len(content), at_once):
        harmless.write(content[start : start + at_once])
    harmless.end()
    return file


class HarmlessTexts(TestCase):
    def test_so_little_at_once_that_the_screen_goes_on(self) -> None:
        """While a part is made harmless nothing else runs, in whichever thread."""
        file = shown(Random(1).randbytes(2**18), 2**16)
        self.assertLessEqual(file.longest, PART)
        self.assertLessEqual(PART, 2**12)

    def test_all_of_it_is_there_wherever_it_is_cut(self) -> None:
        text = "é 谢谢 \x1b[31m\x07 " * 2000
        for at_once in (7, 5000, 2**20):
            self.assertEqual(shown(text.encode(), at_once).getvalue().decode(), safe(text))
        self.assertEqual(shown(b"a\xe8\xb0", 1).getvalue().decode(), "a\ufffd")
