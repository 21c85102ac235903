"""Uploads, and the parts that they are made of.

A table that is there already is left: MySQL commits each statement, so an upgrade may have been cut off between two.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0002"
down_revision = "0001"

MYSQL = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def upgrade() -> None:
    op.create_table(
        "uploads",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("user", sa.String(96), nullable=False),
        sa.Column("client", sa.LargeBinary().with_variant(sa.BINARY(32), "mysql"), nullable=False),
        sa.Column("number", sa.BigInteger),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("head", sa.LargeBinary().with_variant(mysql.VARBINARY(4096), "mysql"), nullable=False),
        sa.Column("tail", sa.LargeBinary().with_variant(mysql.VARBINARY(3), "mysql")),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("touched_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("user", "client", "number", name="upload_number"),
        sa.UniqueConstraint("state", "touched_at", "id", name="upload_age"),
        if_not_exists=True,
        **MYSQL,
    )
    op.create_table(
        "parts",
        sa.Column("upload_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("offset", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("data", sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql"), nullable=False),
        if_not_exists=True,
        **MYSQL,
    )
