"""Bring a database's schema up to date, one server at a time."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select

from storage.interface import StorageDown, StorageUnusable

_PATIENCE = 10  # seconds to wait for another server that is at it


def upgrade(connection: Connection) -> None:
    """Run the migrations that ``connection``'s database lacks, in its transaction.

    Raises :class:`StorageUnusable` for a database that a newer program has upgraded, :class:`StorageDown` while
    another server holds the lock.
    """
    _lock(connection)
    config = migrations(connection)
    _refuse_newer(config, connection)
    command.upgrade(config, "head")


def require_current(connection: Connection) -> None:
    """Raise :class:`StorageUnusable` unless the database holds a chat with the schema that this program knows."""
    config = migrations(connection)
    _refuse_newer(config, connection)
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is None:
        raise StorageUnusable("the database holds no chat; name another one with --db")
    if revision != ScriptDirectory.from_config(config).get_current_head():
        raise StorageUnusable(
            f"the database is older than this program (revision {revision}); "
            "start the server of this version, which brings it up to date, then try again"
        )


def migrations(connection: Connection) -> Config:
    """Return what Alembic has to know to bring ``connection``'s database to any revision, in its transaction."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    return config


def _refuse_newer(config: Config, connection: Connection) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    unknown = set(MigrationContext.configure(connection).get_current_heads()) - known
    if unknown:
        raise StorageUnusable(
            f"the database is newer than this program (revision {', '.join(unknown)}); "
            "start the newer program, or restore a copy from before its upgrade"
        )


def _lock(connection: Connection) -> None:
    """Hold off other servers until ``connection`` is closed, which its pool will not have back."""
    if connection.dialect.name == "sqlite":
        return  # the transaction holds the write lock
    connection.detach()
    name = f"chat {connection.engine.url.database}"[:64]
    if not connection.scalar(select(func.get_lock(name, _PATIENCE))):
        raise StorageDown("another server is bringing the schema up to date")
