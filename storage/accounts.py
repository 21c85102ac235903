"""Which names have accounts, and what a batch does to them: worked out in memory, as :mod:`storage.ledger` does."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import BindParameter, Connection, bindparam, delete, insert, or_, select

from storage.interface import Account, Auth, Login, Refusal, Register, Role
from storage.likeness import likeness
from storage.schema import accounts
from wire.names import fold

KEYS: Final = 500  # of one SELECT

_KEYS: BindParameter[Any] = bindparam("keys", expanding=True)
_LIKENESSES: BindParameter[Any] = bindparam("likenesses", expanding=True)
ACCOUNTS: Final = select(accounts.c.name, accounts.c.role, accounts.c.created_at, accounts.c.password).order_by(
    accounts.c.user
)
ACCOUNT: Final = ACCOUNTS.where(accounts.c.user == bindparam("user"))
_CONCERNED = ACCOUNTS.where(or_(accounts.c.user.in_(_KEYS), accounts.c.likeness.in_(_LIKENESSES)))

WRONG: Final = Refusal("auth_failed", "this needs the password of an account of that name")


def account_of(row: Iterable[Any]) -> Account:
    """Return the account that a row of :data:`ACCOUNTS` tells of."""
    name, role, created_at, password = row
    return Account(name, Role(role), created_at, password)


class Accounts:
    """The accounts that ``names`` concern: those of these names, and of names that look like them."""

    def __init__(self, known: Iterable[Account]) -> None:
        self._by_user = {account.user: account for account in known}
        self._by_likeness = {likeness(account.name): account for account in self._by_user.values()}
        self._changed: set[str] = set()

    @classmethod
    def concerned(cls, connection: Connection, names: Collection[str]) -> Accounts:
        """Read the accounts that ``names``, as they are shown, concern."""
        ordered = sorted(names)
        found: list[Account] = []
        for start in range(0, len(ordered), KEYS):
            some = ordered[start : start + KEYS]
            keys = {"keys": [fold(name) for name in some], "likenesses": [likeness(name) for name in some]}
            found += map(account_of, connection.execute(_CONCERNED, keys))
        return cls(found)

    def of(self, user: str) -> Account | None:
        """Return the account of a user (folded), None where there is none."""
        return self._by_user.get(user)

    def refusal(self, login: Login, *, returns: bool = False) -> Refusal | None:
        """Return why somebody may not be called so, None where nothing is against it.

        Who ``returns`` has shown a password before, which may have been changed since.
        """
        if login.auth is Auth.OPEN:
            return None
        account, shown = self._by_user.get(login.user), login.account
        if account is None and shown is None:
            return WRONG if login.auth is Auth.CLOSED else self._alike(login.name)
        same = account is not None and account == shown and (returns or account.password == shown.password)
        return None if same else WRONG

    def register(self, entry: Register) -> Account | Refusal:
        """Make an account, or change its password."""
        known = self._by_user.get(entry.user)
        if known is None and (refusal := self._alike(entry.name)):
            return refusal
        if (known.password if known else None) != entry.old:
            return Refusal("auth_failed", "the password was changed meanwhile" if known else "there is no such account")
        account = known or Account(entry.name, Role.USER, entry.at)
        account = replace(account, password=entry.password, role=entry.role or account.role)
        self._by_user[entry.user] = self._by_likeness[likeness(account.name)] = account
        self._changed.add(entry.user)
        return account

    def unregister(self, user: str) -> bool:
        """Let a user (folded) have no account; return whether there was one."""
        account = self._by_user.pop(user, None)
        if account is None:
            return False
        del self._by_likeness[likeness(account.name)]
        self._changed.add(user)
        return True

    def write(self, connection: Connection) -> None:
        """Write what was changed."""
        if not self._changed:
            return
        connection.execute(delete(accounts).where(accounts.c.user.in_(self._changed)))
        if rows := [row_of(self._by_user[user]) for user in sorted(self._changed & self._by_user.keys())]:
            connection.execute(insert(accounts), rows)

    def _alike(self, name: str) -> Refusal | None:
        other = self._by_likeness.get(likeness(name))
        if other is None:
            return None
        return Refusal("name_taken", f"{name} looks like {other.name}, who has an account; choose another name")


def row_of(account: Account) -> dict[str, Any]:
    """Return the row of an account."""
    return {
        "user": account.user,
        "name": account.name,
        "likeness": likeness(account.name),
        "password": account.password,
        "role": account.role,
        "created_at": account.created_at,
    }
