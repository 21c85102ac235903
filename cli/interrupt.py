"""What Ctrl-C does."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any, Final

INTERRUPTED: Final = 130  # the exit status of what Ctrl-C ended


def when_interrupted(act: Callable[..., Any]) -> None:
    """Have SIGINT ``act`` from now on, unless who started us has it ignored."""
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        signal.signal(signal.SIGINT, act)
