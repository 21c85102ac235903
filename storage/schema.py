"""The tables, as the newest migration leaves them.

There are no foreign keys: a message is only ever written under the lock of its room, and rooms are never deleted.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BINARY,
    TIMESTAMP,
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
)
from sqlalchemy.dialects import mysql

from wire.names import MAX_FILE_NAME, MAX_NAME

MAX_FOLDED = 3 * MAX_NAME  # characters; folding makes some letters two or three

# Keys are compared byte by byte: whether two names are one is for wire.names to say, not for a collation.
_MYSQL: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
}

metadata = MetaData()

rooms = Table(
    "rooms",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(MAX_NAME), nullable=False),  # as it was first written
    Column("folded", String(MAX_FOLDED), nullable=False, unique=True),
    Column("first_id", BigInteger, nullable=False),
    Column("last_id", BigInteger, nullable=False),
    **_MYSQL,
)

messages = Table(
    "messages",
    metadata,
    Column("room_id", Integer, primary_key=True, autoincrement=False),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("sender", String(MAX_NAME), nullable=False),
    Column("sent_at", BigInteger, nullable=False),  # milliseconds since 1970-01-01 UTC
    Column("size", BigInteger),  # bytes of the whole content, where text is only its beginning
    Column("name", String(MAX_FILE_NAME)),  # of a file
    Column("text", Text, nullable=False),
    # What is searched; NULL where it equals text. Folding can make a text eleven times as long.
    Column("folded", Text().with_variant(mysql.MEDIUMTEXT(), "mysql")),
    Column("upload_id", BigInteger),
    Column("deleted", Boolean, nullable=False, server_default=false()),
    **_MYSQL,
)

senders = Table(
    "senders",
    metadata,
    Column("user", String(MAX_FOLDED), primary_key=True),
    Column(
        "client", LargeBinary().with_variant(BINARY(32), "mysql"), primary_key=True
    ),  # SHA-256 of the client's secret
    Column("epoch", BigInteger, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),  # milliseconds since 1970-01-01 UTC
    **_MYSQL,
)

servers = Table(
    "servers",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),  # drawn at random by each server when it starts
    Column("batch", BigInteger, nullable=False),  # number of its last batch that was committed
    Column("beat_at", TIMESTAMP, nullable=False),  # by the database's clock
    **_MYSQL,
)
