"""The tables, as the newest migration leaves them.

There are no foreign keys: a message is only ever written under the lock of its room, and rooms are never deleted.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

from sqlalchemy import (
    BINARY,
    TIMESTAMP,
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.dialects import mysql

from storage.likeness import MAX_LIKENESS
from wire.names import MAX_FILE_NAME, MAX_NAME

MAX_REASON: Final = 200  # characters
HEAD: Final = 4096  # bytes of a large text that its message shows
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
    Column("owner", String(MAX_FOLDED)),  # the account (folded) that made it
    Column("private", Boolean, nullable=False, server_default=false()),
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
    # What is searched: the folded text, of a file (which has none) the folded name; NULL where it equals text. Folding
    # can make a text eleven times as long.
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
NAME: Final = bytes(32)  # no client's: the row of a user by which is decided who may be called so


class UploadState(IntEnum):
    """What an upload is good for."""

    OPEN = 0  # grows
    SENT = 1  # is the content of a message
    GONE = 2  # is to be removed


uploads = Table(
    "uploads",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),  # drawn at random
    Column("user", String(MAX_FOLDED), nullable=False),
    Column("client", LargeBinary().with_variant(BINARY(32), "mysql"), nullable=False),
    Column("number", BigInteger),  # NULL once it is sent or gone: the client may begin another of that number
    Column("size", BigInteger, nullable=False),
    Column("head", LargeBinary().with_variant(mysql.VARBINARY(HEAD), "mysql"), nullable=False),  # its first bytes
    # The bytes of a character that has only begun; NULL where it is no UTF-8.
    Column("tail", LargeBinary().with_variant(mysql.VARBINARY(3), "mysql")),
    Column("state", SmallInteger, nullable=False),
    Column("touched_at", BigInteger, nullable=False),  # milliseconds since 1970-01-01 UTC
    UniqueConstraint("user", "client", "number", name="upload_number"),
    UniqueConstraint("state", "touched_at", "id", name="upload_age"),  # an index, made in one statement with its table
    **_MYSQL,
)

parts = Table(
    "parts",
    metadata,
    Column("upload_id", BigInteger, primary_key=True, autoincrement=False),
    Column("offset", BigInteger, primary_key=True, autoincrement=False),  # bytes of the upload that stand before
    Column("data", LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql"), nullable=False),
    **_MYSQL,
)

servers = Table(
    "servers",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),  # drawn at random by each process when it starts
    Column("batch", BigInteger, nullable=False),  # number of its last batch that was committed
    Column("beat_at", TIMESTAMP, nullable=False),  # by the database's clock
    Column("last_change", BigInteger, nullable=False, server_default="0"),
    # Who is there stands in the tables below. Not so before a server has begun, and once it was forgotten.
    Column("here", Boolean, nullable=False, server_default=false()),
    Column("auth", String(16)),  # who may log in there; the servers of one chat should agree
    **_MYSQL,
)

changes = Table(
    "changes",
    metadata,
    Column("server", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("what", Text().with_variant(mysql.MEDIUMTEXT(), "mysql"), nullable=False),  # JSON; see storage.changes
    **_MYSQL,
)

accounts = Table(
    "accounts",
    metadata,
    Column("user", String(MAX_FOLDED), primary_key=True),
    Column("name", String(MAX_NAME), nullable=False),  # as it is shown
    Column("likeness", String(MAX_LIKENESS), nullable=False, unique=True),  # no two accounts look alike
    Column("password", String(255), nullable=False),  # its argon2id hash, with what it was made by
    Column("role", String(16), nullable=False),  # see storage.interface.Role
    Column("created_at", BigInteger, nullable=False),  # milliseconds since 1970-01-01 UTC
    **_MYSQL,
)

# Connections that are logged in: who has which name. The name is decided on under the lock of the sender NAME.
logins = Table(
    "logins",
    metadata,
    Column("server", BigInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),  # the server's own, of the connection
    Column("user", String(MAX_FOLDED), nullable=False),
    Column("name", String(MAX_NAME), nullable=False),  # as it is shown
    Column("key", LargeBinary().with_variant(BINARY(32), "mysql")),  # SHA-256 of the person's key
    Column("client", LargeBinary().with_variant(BINARY(32), "mysql")),  # SHA-256 of the client's secret
    UniqueConstraint("user", "server", "number", name="login_user"),
    **_MYSQL,
)

# Which users have connections at a server that are in a room.
present = Table(
    "present",
    metadata,
    Column("server", BigInteger, primary_key=True, autoincrement=False),
    Column("room_id", Integer, primary_key=True, autoincrement=False),
    Column("name", String(MAX_NAME), primary_key=True),  # of the user, as it is shown
    **_MYSQL,
)

# Bans and mutes; see storage.order.Sanction.
sanctions = Table(
    "sanctions",
    metadata,
    Column("kind", String(8), primary_key=True),
    Column("whom", String(MAX_FOLDED), primary_key=True),  # a folded name, or a network
    Column("until", BigInteger),  # milliseconds since 1970-01-01 UTC
    Column("reason", String(MAX_REASON), nullable=False),
    Column("by", String(MAX_NAME), nullable=False),
    Column("at", BigInteger, nullable=False),  # milliseconds since 1970-01-01 UTC
    **_MYSQL,
)

# Who may be in private rooms.
invited = Table(
    "invited",
    metadata,
    Column("room_id", Integer, primary_key=True, autoincrement=False),
    Column("user", String(MAX_FOLDED), primary_key=True),
    UniqueConstraint("user", "room_id", name="invited_user"),  # an index
    **_MYSQL,
)

# Who did what to keep order; see storage.order.Act.
audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),  # milliseconds since 1970-01-01 UTC
    Column("by", String(MAX_NAME), nullable=False),
    Column("order", String(16), nullable=False),
    Column("whom", String(MAX_FOLDED), nullable=False),
    Column("room", String(MAX_NAME), nullable=False),
    Column("reason", String(MAX_REASON), nullable=False),
    **_MYSQL,
)
