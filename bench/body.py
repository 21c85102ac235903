"""What the load says: bodies of one length that tell who said them, as which of theirs and when.

    <0007 000000123 00000000012345678901 xxxx…|

The sender, its number from 1 on, nanoseconds of the monotonic clock, filling, and at the end :data:`MARK`, which stands
nowhere else in what a server sends.
"""

from __future__ import annotations

import re
from typing import Final

MARK: Final = b"|"
SHORTEST: Final = 40  # bytes
BODY: Final = re.compile(rb"<(\d{4}) (\d{9}) (\d{20}) x*\|")


def body(sender: int, number: int, size: int, stamp: int = 0) -> bytes:
    """Return a body of ``size`` bytes, :data:`SHORTEST` at least; ``stamp`` is when it is said, 0 for not told."""
    beginning = b"<%04d %09d %020d " % (sender, number, stamp)
    return beginning.ljust(size - 1, b"x") + MARK
