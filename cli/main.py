"""``chat``: the way in. Ctrl-C ends it without a word before anything is loaded that takes time."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from cli.interrupt import INTERRUPTED, when_interrupted


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Talk until it ends; exits with 1 and a line where it cannot be."""
    when_interrupted(lambda *_: os._exit(INTERRUPTED))
    gc.disable()  # what is loaded stays: a collection that looks through it only takes time
    from cli.lately import lately

    lately("http.cookiejar")  # Twisted has it for others, at a fifteenth of the start
    from cli.asked import asked

    command, options = asked(list(sys.argv[1:] if arguments is None else arguments))
    from cli.program import run

    run(command, options)
