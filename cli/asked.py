"""What a command line asks for."""

from __future__ import annotations

import os
import sys
from typing import Final, NoReturn

from twisted.python.usage import UsageError

from cli.config import BadConfig, Config
from cli.options import AnyOptions, Options, SaveOptions, SendOptions, TailOptions
from wire.text import safe_line

_COMMANDS: Final[dict[str, type[AnyOptions]]] = {"send": SendOptions, "tail": TailOptions, "save": SaveOptions}


def asked(words: list[str]) -> tuple[str, AnyOptions]:
    """Return which command, empty for talking, and with which options; ends the program where that is not clear."""
    command = words.pop(0) if words and words[0] in _COMMANDS else ""
    options = _COMMANDS.get(command, Options)(Config())
    try:
        _read(words, options)
    except BadConfig as wrong:
        give_up(str(wrong))
    except UsageError as wrong:
        why = " ".join(str(wrong).removeprefix("Parameter type enforcement failed: ").split())
        give_up(f"{why}; see chat {command + ' ' if command else ''}--help")
    except BrokenPipeError:  # who pages through --help has read enough
        _close_output()
        raise SystemExit(0) from None
    except OSError as wrong:
        _close_output()
        give_up(f"standard output: {wrong.strerror}")
    return command, options


def _read(words: list[str], options: AnyOptions) -> None:
    try:
        options.parseOptions(words)
    except SystemExit:
        print(end="", flush=True)  # what --help told: later nobody sees to it that it is read
        raise


def _close_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # rather than fail once more at the end


def give_up(line: str) -> NoReturn:
    """End the program with ``line`` on standard error."""
    print(f"chat: {safe_line(line)}", file=sys.stderr)
    raise SystemExit(1)
