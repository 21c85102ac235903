"""What went wrong in the database, told apart: it passes, the operator has to act, or the statement is at fault."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from sqlite3 import Error as SQLiteError

from sqlalchemy import URL
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from storage.interface import StorageDown, StorageUnusable

# MySQL's and MariaDB's numbers. The transaction is undone, the connection stays as good as it was:
_CONFLICT = {
    1020,  # record has changed since it was read (MariaDB with snapshot isolation)
    1205,  # waited too long for a lock
    1213,  # deadlock; every conflict on Galera
    1317,  # query was interrupted
    1969,  # took longer than max_statement_time
    3024,  # the same in MySQL
    3101,  # rolled back by the group while committing
}
# It has no space or is out of some other resource:
_EXHAUSTED = {
    1021,  # disk full
    1030,  # error from the storage engine
    1037,  # out of memory
    1038,  # out of sort memory
    1041,  # out of memory
    1114,  # table is full: its disk is
    1180,  # error during COMMIT
}
# The server or the connection to it is gone, going, or of no use; another connection may be better:
_GONE = {
    0,  # PyMySQL: the connection is closed
    1040,  # too many connections
    1042,  # host name not found
    1043,  # bad handshake
    1047,  # a Galera node that is joining or in a minority
    1053,  # shutting down
    1077,
    1079,  # shutdown
    1080,  # forced close
    1129,  # host is blocked after too many errors
    1135,  # no thread for the connection
    1152,  # aborted connection
    1158,  # network errors, as the server sees them
    1159,
    1160,
    1161,
    1203,  # too many connections of this user
    1226,  # the user's allowance is used up
    1290,  # read only: a replica, or a primary about to be replaced
    1836,  # read only
    1927,  # connection was killed
    2002,  # cannot connect
    2003,
    2006,  # went away
    2013,  # connection lost during the query
    2014,  # answers out of order
    2055,  # connection lost
    3168,  # server is not available
    4031,  # disconnected for being idle
}
_SQLITE_FULL = 13
_SQLITE_PASSING = {
    5,  # busy
    6,  # locked
    7,  # out of memory
    8,  # read only: a disk that was remounted after an error
    9,  # interrupted
    10,  # disk I/O error
    _SQLITE_FULL,
    14,  # cannot open
    15,  # locking protocol
}
# Nothing but the operator helps. While serving they are waited out all the same: a password may be changed back.
_DENIED = {
    1044,  # no right to the database
    1045,  # wrong password
    1049,  # unknown database
    1130,  # host may not connect
    1142,  # no right to the table
    1227,  # no right to do that
    1251,  # authentication is not supported
    1524,  # authentication plugin is not loaded
    1698,  # access denied
    1820,  # the password has to be changed
    1862,  # the password has expired
    3118,  # the account is locked
    4151,  # the same in MariaDB
}
_SQLITE_DENIED = {
    3,  # permission
    8,  # read only
    14,  # cannot open
    23,  # not authorised
}


@contextmanager
def while_serving() -> Iterator[None]:
    """Turn what passes, or what an operator can mend, into :class:`StorageDown`; let other errors through."""
    try:
        yield
    except (DBAPIError, PoolTimeout) as error:
        if _passes(error) or _denied(error):
            raise StorageDown(_told(error)) from error
        raise


@contextmanager
def while_committing() -> Iterator[None]:
    """Turn every error of the database into :class:`StorageDown`: only a look can tell what became of the commit."""
    try:
        yield
    except DBAPIError as error:
        raise StorageDown(_told(error)) from error


@contextmanager
def while_preparing(url: URL) -> Iterator[None]:
    """Turn what passes into :class:`StorageDown` and all else into :class:`StorageUnusable`."""
    try:
        yield
    except (SQLAlchemyError, RuntimeError) as error:  # PyMySQL: RuntimeError where a login needs cryptography
        if _passes(error) and not _denied(error):
            raise StorageDown(f"{_shown(url)} does not answer: {_told(error)}") from error
        raise StorageUnusable(f"{_shown(url)} cannot be used: {_told(error)}; {_advice(error, url)}") from error


@contextmanager
def while_operating(url: URL) -> Iterator[None]:
    """Turn every error of the database into :class:`StorageUnusable`: an operator waits for no other try."""
    try:
        yield
    except SQLAlchemyError as error:
        raise StorageUnusable(f"{_shown(url)}: {_told(error)}; {_remedy(error, url)}") from error


def mark_disconnect(context: ExceptionContext) -> None:
    """Have the connection thrown away after an error that it will not recover from; listens to ``handle_error``."""
    if _mysql_code(context.original_exception) in _GONE:
        context.is_disconnect = True


def _shown(url: URL) -> str:
    return f"the database {url.set(query={}).render_as_string(hide_password=True)}"


def _cause(error: BaseException) -> BaseException:
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


def _told(error: BaseException) -> str:
    cause = _cause(error)
    return " ".join(str(cause.args[-1] if cause.args else cause).split()) or "the connection is closed"


def _mysql_code(cause: BaseException) -> int | None:
    if isinstance(cause, SQLiteError) or not cause.args or not isinstance(cause.args[0], int):
        return None
    return cause.args[0]


def _sqlite_code(cause: BaseException) -> int | None:
    # The lower byte is the kind, what stands above it only refines it.
    return getattr(cause, "sqlite_errorcode", 0) & 0xFF if isinstance(cause, SQLiteError) else None


def _passes(error: BaseException) -> bool:
    cause = _cause(error)
    return (
        isinstance(error, PoolTimeout)
        or _mysql_code(cause) in _CONFLICT | _EXHAUSTED | _GONE
        or _sqlite_code(cause) in _SQLITE_PASSING
    )


def _denied(error: BaseException) -> bool:
    cause = _cause(error)
    return _mysql_code(cause) in _DENIED or _sqlite_code(cause) in _SQLITE_DENIED


def _remedy(error: BaseException, url: URL) -> str:
    cause = _cause(error)
    if _mysql_code(cause) in _EXHAUSTED or _sqlite_code(cause) == _SQLITE_FULL:
        return "make room there, then try again"
    return "try again" if _passes(error) and not _denied(error) else _advice(error, url)


def _advice(error: BaseException, url: URL) -> str:
    cause = _cause(error)
    match _mysql_code(cause), _sqlite_code(cause):
        case 1049, _:
            return f"make it with CREATE DATABASE `{url.database}`"
        case ((1044 | 1142 | 1227), _):
            return f"GRANT ALL ON `{url.database}`.* to {url.username}"
        case code, _ if code in _DENIED:
            return "check user and password"
        case _, code if code in _SQLITE_DENIED:
            return "its folder must exist, and this user must be allowed to write to both"
        case _, 26:
            return "it is no SQLite database: name another file"
        case _:
            return "see the manual of the database"
