"""``users``: who has an account, and how one gets it without asking the chat."""

from __future__ import annotations

import getopt
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from getpass import getpass
from time import time
from typing import Any, ClassVar, Final

from twisted.python.usage import UsageError

from server import refusals
from server.commands.command import OnDatabase, Refused, interruptible
from server.commands.prune import persistently
from server.passwords import checked, hashed
from storage.access import existing
from storage.interface import Account, Batch, Refusal, Register, Role, Unregister
from storage.sql import Storage
from wire.names import BadName, canonical, fold

TAKES: Final = {"add": "NAME", "del": "NAME", "passwd": "NAME", "role": "NAME ROLE", "list": ""}


class Users(OnDatabase):
    """Works beside servers: whose account is changed has to log in anew."""

    synopsis: ClassVar[str] = "add NAME [--operator] | del NAME | passwd NAME | role NAME user|operator | list"
    longdesc = (
        "A password is asked for in a terminal, else it is the first line of standard input. Accounts count where the"
        " server runs with --auth accounts or closed. Whoever is logged in by that name is sent away, but for list."
    )
    optFlags: ClassVar[list[list[Any]]] = [["operator", None, "Let the new account be an operator's."]]

    def parseOptions(self, options: list[str] | None = None) -> None:
        """Read the flags, also those behind the arguments."""
        try:
            flags, arguments = getopt.gnu_getopt(options or [], self.shortOpt, self.longOpt)
        except getopt.error as wrong:
            raise UsageError(str(wrong)) from None
        super().parseOptions([word for flag in flags for word in flag if word] + ["--", *arguments])  # type: ignore[no-untyped-call]

    def parseArgs(self, *arguments: str) -> None:
        """Take what to do, and with whom."""
        does, *rest = arguments or ("",)
        if does not in TAKES:
            raise UsageError(f"say what to do: {', '.join(TAKES)}")
        if len(rest) != len(TAKES[does].split()):
            raise UsageError(f"users {does} takes {TAKES[does] or 'no more words'}")
        if self["operator"] and does != "add":
            raise UsageError("--operator is for add")
        self["does"], self["name"], self["role"] = (does, *rest, None, None)[:3]
        if does == "role" and self["role"] not in tuple(Role):
            raise UsageError(f"{self['role']!r} is not one of {', '.join(Role)}")

    def run(self) -> int:
        """Do it."""
        does: Callable[[Storage], None] = getattr(self, f"_{self['does']}")
        with existing(self.db), closing(Storage(self.db)) as storage:
            does(storage)
        return 0

    def _add(self, storage: Storage) -> None:
        if storage.account(fold(self._name)) is not None:
            raise Refused(f"{self._name} has an account already; passwd changes its password")
        self._register(storage, None, _hash_of_new(), Role.OPERATOR if self["operator"] else Role.USER)

    def _passwd(self, storage: Storage) -> None:
        self._register(storage, self._known(storage).password, _hash_of_new())

    def _role(self, storage: Storage) -> None:
        password = self._known(storage).password
        self._register(storage, password, password, Role(self["role"]))

    def _del(self, storage: Storage) -> None:
        if not _stored(storage, Unregister(self._name)):
            raise Refused(f"{self._name} has no account")

    def _list(self, storage: Storage) -> None:
        print(f"{'role':8}  {'since':20}  name")
        for account in storage.accounts():
            since = datetime.fromtimestamp(account.created_at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            print(f"{account.role:8}  {since:20}  {account.name}")

    @property
    def _name(self) -> str:
        try:
            return canonical(self["name"])
        except (BadName, UnicodeEncodeError) as bad:
            raise Refused(f"{self['name']!r} is no name: {bad}") from None

    def _known(self, storage: Storage) -> Account:
        account = storage.account(fold(self._name))
        if account is None:
            raise Refused(f"{self._name} has no account")
        return account

    def _register(self, storage: Storage, old: str | None, password: str, role: Role | None = None) -> None:
        outcome = _stored(storage, Register(self._name, password, old, int(time() * 1000), role, go=True))
        if isinstance(outcome, Refusal):
            raise Refused(outcome.text)


def _stored(storage: Storage, entry: Register | Unregister) -> Any:
    [outcome] = persistently(partial(storage.commit, Batch([entry], 1)))
    return outcome


def _hash_of_new() -> str:
    password = _typed() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise Refused("an empty password is none")
    try:
        return hashed(checked(password))
    except refusals.Refused as wrong:
        raise Refused(str(wrong)) from None
    except UnicodeEncodeError:
        raise Refused("a password is text in UTF-8") from None


def _typed() -> str:
    """Return what was typed twice, unseen."""
    with interruptible():
        password = getpass("Password: ")
        if getpass("Once more: ") != password:
            raise Refused("these were two different passwords; nothing was changed")
    return password
