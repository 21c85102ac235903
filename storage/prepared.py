"""Statements that many batches need, compiled once for each dialect.

What SQLAlchemy does anew whenever a statement is executed takes longer than most of these take in the database. So they
go to the driver as text, and with them values that any driver knows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy import BindParameter, ColumnElement, Connection, Dialect, Select, Table, bindparam, insert
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
            some += some[-1:] * _missing(some)  # one that stands twice is found once
            values = chain.from_iterable(some) if isinstance(some[0], tuple) else some
            yield from connection.exec_driver_sql(self._text(connection.dialect, some), tuple(values))

    def _text(self, dialect: Dialect, keys: Sequence[Any]) -> str:
        texts = self._texts.setdefault(dialect, {})
        return texts.get(len(keys)) or texts.setdefault(len(keys), self._compile(dialect, keys))

    def _compile(self, dialect: Dialect, keys: Sequence[Any]) -> str:
        compiled = self._statement.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)
        return compiled.construct_expanded_state({"keys": keys}).statement


class ByWords:
    """A SELECT of what holds every one of any number of words, as ``holds`` says of a word."""

    def __init__(self, statement: Select[Any], holds: Callable[[BindParameter[bytes]], ColumnElement[bool]]) -> None:
        self._statement = statement
        self._holds = holds
        self._compiled: WeakKeyDictionary[Dialect, dict[int, SQLCompiler]] = WeakKeyDictionary()

    def find(self, connection: Connection, words: Sequence[bytes], values: Mapping[str, Value]) -> Sequence[Any]:
        """Return the rows that hold ``words``; ``values`` are the other parameters."""
        words = list(words)
        words += words[-1:] * _missing(words)
        compiled = self._for(connection.dialect, len(words))
        known: dict[str, Any] = {**compiled.params, **values, **{f"word{at}": word for at, word in enumerate(words)}}
        assert compiled.positiontup is not None
        return connection.exec_driver_sql(str(compiled), tuple(known[name] for name in compiled.positiontup)).all()

    def _for(self, dialect: Dialect, count: int) -> SQLCompiler:
        of_dialect = self._compiled.setdefault(dialect, {})
        return of_dialect.get(count) or of_dialect.setdefault(count, self._compile(dialect, count))

    def _compile(self, dialect: Dialect, count: int) -> SQLCompiler:
        held = (self._holds(bindparam(f"word{number}")) for number in range(count))
        compiled = self._statement.where(*held).compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)
        return compiled


def _missing(values: Sequence[Any]) -> int:
    """Return how many ``values`` are short of a power of two: they are filled up, so that there are few texts."""
    return (1 << (len(values) - 1).bit_length()) - len(values)
