"""An engine of SQLAlchemy for a URL, set up so that a commit is durable and nothing waits forever."""

from __future__ import annotations

from contextlib import closing, suppress
from sqlite3 import Connection as SQLiteConnection
from sqlite3 import OperationalError
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from storage.faults import mark_disconnect
from storage.interface import StorageUnusable

_DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "sqlite+pysqlite": "sqlite+pysqlite",
    "mysql": "mysql+pymysql",
    "mysql+pymysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "mariadb+pymysql": "mysql+pymysql",
}
# Seconds; a lock is waited for less long than an answer, so that the database's own word comes first. What is too
# long for its column must be an error, whatever the server's sql_mode is. Where a backslash is nothing else, PyMySQL
# quotes in C: characters of other scripts else one by one, while nobody has the interpreter. MySQL 8 would tell sizes
# that are a day old.
_MYSQL_DEFAULTS = {
    "charset": "utf8mb4",
    "connect_timeout": "5",
    "read_timeout": "30",
    "write_timeout": "30",
    "init_command": "SET SESSION innodb_lock_wait_timeout = 10"
    ", sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,NO_BACKSLASH_ESCAPES'"
    " /*!80000 , information_schema_stats_expiry = 0 */",
}
PATIENCE = 5_000  # milliseconds for which SQLite waits for a lock, as Python has it
FROZEN = 10  # seconds for which a server may say nothing in a transaction, before the database ends that
WRITING = "writing"  # execution option of connections that take SQLite's write lock when they begin


def parse(url: str | URL) -> URL:
    """Return ``url`` with its driver; raises :class:`StorageUnusable` for what is not ours to use."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # it may hold a password: do not repeat it
        raise StorageUnusable("the database URL cannot be read; use one like sqlite:///chat.db") from None
    if "@" in (parsed.host or ""):  # the rest of a password, most likely
        raise StorageUnusable("the database URL has an @ too many; in a user's name or password it is written %40")
    driver = _DRIVERS.get(parsed.drivername)
    if driver is None:
        raise StorageUnusable(
            f"databases of the kind {parsed.drivername} are not supported; "
            "use sqlite:///chat.db or mysql+pymysql://user:password@host/database"
        )
    if not parsed.database or parsed.database == ":memory:":
        raise StorageUnusable("the database URL names no database; use one like sqlite:///chat.db")
    return parsed.set(drivername=driver)


def connect(url: URL, *, reading: bool = False) -> Engine:
    """Return an engine for a URL that :func:`parse` gave; nothing is reached yet.

    One for ``reading`` asks in no transaction where to end one would be another question.
    """
    engine = _sqlite(url) if url.get_backend_name() == "sqlite" else _mysql(url, reading)
    event.listen(engine, "handle_error", mark_disconnect)
    return engine


def let_nobody_wait_for_us(engine: Engine) -> None:
    """Have the database end a transaction of ours in the middle of which we are frozen: its locks hold up the others.

    It ends what is idle in the pool too, which costs a new connection.
    """

    def limit(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET SESSION wait_timeout = {FROZEN}")

    event.listen(engine, "connect", limit)


def empty_log(engine: Engine) -> None:
    """Have SQLite's log, where what was deleted can still be read, be empty; not now, where somebody reads in it."""
    if engine.dialect.name != "sqlite":
        return
    with closing(engine.raw_connection()) as raw:
        cursor = raw.cursor()
        cursor.execute("PRAGMA busy_timeout = 0")
        with suppress(OperationalError):  # the next time, then
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.execute(f"PRAGMA busy_timeout = {PATIENCE}")


def weaknesses(connection: Connection) -> list[str]:
    """Return a line for each thing in which the database keeps less than a commit promises, for the operator."""
    if connection.dialect.name != "mysql":
        return []
    flush = connection.exec_driver_sql("SELECT @@innodb_flush_log_at_trx_commit").scalar()
    if flush == 1:
        return []
    return [
        f"the database may lose acknowledged messages in a power cut: its innodb_flush_log_at_trx_commit is {flush};"
        " set it to 1"
    ]


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url, hide_parameters=True)  # an error is logged, and must not tell what was said
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: SQLiteConnection, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where we say so, not where the driver guesses
    connection.execute("PRAGMA page_size = 8192")  # of a new database: large contents are stored twice as fast
    connection.execute("PRAGMA journal_mode = WAL")  # readers and the writer do not wait for each other
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten
    # Pages: what a commit carries over into the database now and then, while others wait for it. A fourth of the
    # default is as fast on the whole.
    connection.execute("PRAGMA wal_autocheckpoint = 250")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes then could find that another has written meanwhile, and fail.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get(WRITING) else "BEGIN")


def _mysql(url: URL, reading: bool) -> Engine:
    missing = {name: value for name, value in _MYSQL_DEFAULTS.items() if name not in url.query}
    # Every transaction here is ended by its own COMMIT or ROLLBACK: the pool need not send another.
    engine = create_engine(
        url.update_query_dict(missing),
        isolation_level="AUTOCOMMIT" if reading else "READ COMMITTED",
        skip_autocommit_rollback=reading,
        pool_reset_on_return=None,
        paramstyle="format",  # positions and no names: what is prepared is given tuples
        hide_parameters=True,
    )
    event.listen(engine, "connect", _wait_for_the_others)
    return engine


def _wait_for_the_others(connection: Any, _record: Any) -> None:
    """Have no transaction read less than any node of a Galera cluster had committed when it began: one may lag."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW VARIABLES LIKE 'wsrep_on'")
        if ("wsrep_on", "ON") in cursor.fetchall():
            cursor.execute("SET SESSION wsrep_sync_wait = 1")
