"""Statements that many batches need, compiled once for each dialect.

What SQLAlchemy does anew whenever a statement is executed takes longer than most of these take in the database. So they
go to the driver as text, and with them values that any driver knows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import chain
from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Connection, Dialect, Select, Table, insert
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.sql.compiler import SQLCompiler

KEYS: Final = 512  # of one SELECT; MariaDB plans badly from 1,000 on

Value = int | str | bytes | None
Row = tuple[Value, ...]


class Rows:
    """An INSERT of rows: tuples of the columns ``names``, which stand in the table's order.

    Of a row whose key is taken the columns ``changed`` are changed. (Not by an UPDATE: of this PyMySQL makes one
    statement for many rows.) ``fixed`` are columns that the database itself fills in.
    """

    def __init__(
        self, table: Table, names: Sequence[str], changed: Sequence[str] = (), **fixed: ColumnElement[Any]
    ) -> None:
        self._table = table
        self._names = list(names)
        self._changed = changed
        self._fixed = fixed
        self._texts: WeakKeyDictionary[Dialect, str] = WeakKeyDictionary()

    def write(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Write ``rows``, if there are any."""
        if rows:
            text = self._texts.get(connection.dialect) or self._compile(connection.dialect)
            connection.exec_driver_sql(text, rows[0] if len(rows) == 1 else list(rows))

    def _compile(self, dialect: Dialect) -> str:
        statement = self._statement(dialect).values(self._fixed)
        compiled = statement.compile(dialect=dialect, column_keys=self._names, for_executemany=True)
        assert compiled.positiontup == self._names
        self._texts[dialect] = text = str(compiled)
        return text

    def _statement(self, dialect: Dialect) -> Any:
        if not self._changed:
            return insert(self._table)
        if dialect.name == "sqlite":
            lite = sqlite.insert(self._table)
            return lite.on_conflict_do_update(set_={name: lite.excluded[name] for name in self._changed})
        my = mysql.insert(self._table)
        return my.on_duplicate_key_update({name: my.inserted[name] for name in self._changed})


class ByKeys:
    """A SELECT by its parameter ``keys``, an expanding one, of any number of keys."""

    def __init__(self, statement: Select[Any]) -> None:
        self._statement = statement
        self._texts: WeakKeyDictionary[Dialect, dict[int, str]] = WeakKeyDictionary()

    def find(self, connection: Connection, keys: Collection[Any]) -> Iterator[Any]:
        """Yield the rows of ``keys``, in whose order the database locks them if it does."""
        ordered = sorted(keys)
        for start in range(0, len(ordered), KEYS):
            some = ordered[start : start + KEYS]
            # A power of two of them, so that there are few texts: one that stands twice is found once.
            some += some[-1:] * ((1 << (len(some) - 1).bit_length()) - len(some))
            values = chain.from_iterable(some) if isinstance(some[0], tuple) else some
            yield from connection.exec_driver_sql(self._text(connection.dialect, some), tuple(values))

    def _text(self, dialect: Dialect, keys: Sequence[Any]) -> str:
        texts = self._texts.setdefault(dialect, {})
        return texts.get(len(keys)) or texts.setdefault(len(keys), self._compile(dialect, keys))

    def _compile(self, dialect: Dialect, keys: Sequence[Any]) -> str:
        compiled = self._statement.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)
        return compiled.construct_expanded_state({"keys": keys}).statement
