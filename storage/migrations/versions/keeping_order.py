"""Keeping order: bans and mutes, private rooms and who may be in them, and the audit log.

What is there already is left: MySQL commits each statement, so an upgrade may have been cut off between two.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

MYSQL = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def upgrade() -> None:
    there = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("rooms")}
    for column in (
        sa.Column("owner", sa.String(96)),
        sa.Column("private", sa.Boolean, nullable=False, server_default=sa.false()),
    ):
        if column.name not in there:
            op.add_column("rooms", column)
    op.create_table(
        "sanctions",
        sa.Column("kind", sa.String(8), primary_key=True),
        sa.Column("whom", sa.String(96), primary_key=True),
        sa.Column("until", sa.BigInteger),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("by", sa.String(32), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        if_not_exists=True,
        **MYSQL,
    )
    op.create_table(
        "invited",
        sa.Column("room_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("user", sa.String(96), primary_key=True),
        sa.UniqueConstraint("user", "room_id", name="invited_user"),
        if_not_exists=True,
        **MYSQL,
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("by", sa.String(32), nullable=False),
        sa.Column("order", sa.String(16), nullable=False),
        sa.Column("whom", sa.String(96), nullable=False),
        sa.Column("room", sa.String(32), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        if_not_exists=True,
        **MYSQL,
    )
