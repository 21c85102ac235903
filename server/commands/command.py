"""What every command is: its flags, and what it does."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, NoReturn

from twisted.python.usage import Options as UsageOptions
from twisted.python.usage import UsageError

from server.options import DEFAULT_DB, database, print_version
from storage.interface import StorageDown, StorageUnusable


class Refused(Exception):
    """It cannot be done; the text says why, and what to do."""


class Command(UsageOptions):
    """One command. ``synopsis`` is what follows its name."""

    synopsis: ClassVar[str] = "[options]"

    def run(self) -> int:
        """Do it and return the exit status; raises :class:`Refused`, ``StorageUnusable``, ``StorageDown``, OSError."""
        raise NotImplementedError

    def opt_version(self) -> NoReturn:
        """Print the version and exit."""
        print_version()

    def getSynopsis(self) -> str:
        """Return how it is called."""
        assert self.parent is not None
        return f"Usage: chat-server {self.parent.subCommand} {self.synopsis}"


class OnDatabase(Command):
    """A command that works on the database, whether a server runs on it or not."""

    optParameters: ClassVar[list[list[Any]]] = [
        ["db", None, None, f"SQLAlchemy URL of the database; also by $CHAT_DB. [default: {DEFAULT_DB}]"],
    ]

    def parseArgs(self, *arguments: str) -> None:
        """Take no arguments."""
        if arguments:
            raise UsageError(f"{arguments[0]!r} is too much")

    @property
    def db(self) -> str:
        """The database's URL."""
        assert self.parent is not None
        return database(self["db"] or self.parent["db"])


def progress(total: int | None, unit: str, *, scaled: bool = False) -> Any:
    """Return a progress bar on standard error, which shows nothing where that is no terminal."""
    from tqdm import tqdm  # some commands show none

    return tqdm(total=total, unit=unit, unit_scale=scaled, leave=False, disable=None, file=sys.stderr)


def carry_out(command: Command) -> NoReturn:
    """Run it and exit with its status, or with 1 and a line; 130 and 143 where a signal ended it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave_at_once)
    try:
        status = command.run()
        print(end="", flush=True)  # later nobody sees to it that it is read
        raise SystemExit(status)
    except (Refused, StorageUnusable, StorageDown) as why:
        raise SystemExit(f"chat-server: {why}") from None
    except BrokenPipeError:  # who reads has read enough
        close_output()
        raise SystemExit(1) from None
    except OSError as wrong:
        close_output()
        raise SystemExit(f"chat-server: {wrong.filename or 'standard output'}: {wrong.strerror}") from None


@contextmanager
def interruptible() -> Iterator[None]:
    """Let a signal end what is done by an exception: it has something to put away before."""
    before = {number: signal.signal(number, _leave) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + number)


def _leave_at_once(number: int, _frame: object) -> NoReturn:
    # An exception could come between any two bytes of a talk with the database, which undoes by itself what was begun.
    if os.isatty(2):
        os.write(2, b"\n")  # below the progress bar
    os._exit(128 + number)


def close_output() -> None:
    """Let what is still to be written go nowhere, rather than fail once more at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
