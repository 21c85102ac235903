"""Rows that may be there already."""

from __future__ import annotations

from sqlalchemy import Insert, Table
from sqlalchemy.dialects import mysql, sqlite


def upsert(dialect: str, table: Table, *changed: str) -> Insert:
    """Return a statement that inserts rows, and where a key is taken changes those columns of the row that has it.

    Not an UPDATE: of this, PyMySQL makes one statement for many rows.
    """
    if dialect == "sqlite":
        lite = sqlite.insert(table)
        return lite.on_conflict_do_update(set_={name: lite.excluded[name] for name in changed})
    my = mysql.insert(table)
    return my.on_duplicate_key_update({name: my.inserted[name] for name in changed})
