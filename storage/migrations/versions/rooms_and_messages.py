"""Rooms, their messages, who sent them and which servers serve them.

A table that is there already is left: MySQL commits each statement, so an upgrade may have been cut off between two.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None

MYSQL = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def upgrade() -> None:
    op.create_table(
        "rooms",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("folded", sa.String(96), nullable=False, unique=True),
        sa.Column("first_id", sa.BigInteger, nullable=False),
        sa.Column("last_id", sa.BigInteger, nullable=False),
        if_not_exists=True,
        **MYSQL,
    )
    op.create_table(
        "messages",
        sa.Column("room_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("sender", sa.String(32), nullable=False),
        sa.Column("sent_at", sa.BigInteger, nullable=False),
        sa.Column("size", sa.BigInteger),
        sa.Column("name", sa.String(255)),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("folded", sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql")),
        sa.Column("upload_id", sa.BigInteger),
        sa.Column("deleted", sa.Boolean, nullable=False, server_default=sa.false()),
        if_not_exists=True,
        **MYSQL,
    )
    op.create_table(
        "senders",
        sa.Column("user", sa.String(96), primary_key=True),
        sa.Column("client", sa.LargeBinary().with_variant(sa.BINARY(32), "mysql"), primary_key=True),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("received", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        if_not_exists=True,
        **MYSQL,
    )
    op.create_table(
        "servers",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("batch", sa.BigInteger, nullable=False),
        sa.Column("beat_at", sa.TIMESTAMP, nullable=False),
        if_not_exists=True,
        **MYSQL,
    )
