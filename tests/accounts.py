"""Accounts for tests, put into the database, without the time that a good hash takes."""

from __future__ import annotations

import os

from argon2 import PasswordHasher

from storage import Batch, Register, Role, Storage

PASSWORD = "secret"


def add_account(storage: Storage, user: str, role: Role = Role.USER) -> None:
    """Give ``user`` an account, if it has none yet."""
    if storage.account(user) is None:
        hash = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
        storage.commit(Batch([Register(user, hash, None, 0, role)], int.from_bytes(os.urandom(4))))
