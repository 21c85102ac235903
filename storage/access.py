"""A database as the operator's commands open it: beside a server that may be running, and with more patience."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Connection, Engine

from storage.database import WRITING, connect, parse
from storage.faults import while_operating, while_preparing
from storage.interface import StorageUnusable
from storage.sql import Storage
from storage.upgrade import require_current

_PATIENCE: Final = "3600"  # seconds for one answer of MySQL: a look at every row takes long, and nobody else waits


@contextmanager
def existing(url: str | URL) -> Iterator[Engine]:
    """Yield an engine for a database that is there and of this version; raises :class:`StorageUnusable`, also later.

    :class:`storage.StorageDown` says that the database does not answer.
    """
    parsed = parse(url)
    sqlite_file(parsed)
    engine = connect(_patient(parsed))
    try:
        with while_preparing(parsed), engine.connect() as connection:
            require_current(connection)
        with while_operating(parsed):
            yield engine
    finally:
        engine.dispose()


@contextmanager
def prepared(url: str | URL) -> Iterator[Engine]:
    """Yield an engine as :func:`existing` does; what is not there is made, as a server would."""
    storage = Storage(url)
    try:
        storage.prepare()
    finally:
        storage.close()
    with existing(url) as engine:
        yield engine


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """Yield a connection that sees everything as it is at its first look, whatever is written meanwhile."""
    with engine.connect() as connection:
        if engine.dialect.name == "mysql":
            connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Yield a connection in a transaction that is committed at the end, and undone by an exception."""
    with engine.execution_options(**{WRITING: True}).begin() as connection:
        yield connection


def sqlite_file(url: URL) -> Path | None:
    """Return an SQLite database's file, None for another kind; raises :class:`StorageUnusable` where it is missing."""
    if url.get_backend_name() != "sqlite":
        return None
    assert url.database is not None
    path = Path(url.database)
    if not path.exists():
        raise StorageUnusable(f"there is no database {path}; name the server's with --db or $CHAT_DB")
    return path


def _patient(url: URL) -> URL:
    if url.get_backend_name() == "sqlite":
        return url
    return url.update_query_dict({"read_timeout": _PATIENCE, "write_timeout": _PATIENCE})
