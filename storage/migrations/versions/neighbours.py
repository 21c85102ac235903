"""Several servers: what they tell each other, who is logged in, and who is where.

What is there already is left: MySQL commits each statement, so an upgrade may have been cut off between two.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0003"
down_revision = "0002"

MYSQL = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
SHA256 = sa.LargeBinary().with_variant(sa.BINARY(32), "mysql")


def upgrade() -> None:
    there = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("servers")}
    for column in (
        sa.Column("last_change", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("here", sa.Boolean, nullable=False, server_default=sa.false()),
    ):
        if column.name not in there:
            op.add_column("servers", column)
    op.create_table(
        "changes",
        sa.Column("server", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("what", sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql"), nullable=False),
        if_not_exists=True,
        **MYSQL,
    )
    op.create_table(
        "logins",
        sa.Column("server", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("user", sa.String(96), nullable=False),
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("key", SHA256),
        sa.Column("client", SHA256),
        sa.UniqueConstraint("user", "server", "number", name="login_user"),
        if_not_exists=True,
        **MYSQL,
    )
    op.create_table(
        "present",
        sa.Column("server", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("room_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", sa.String(32), primary_key=True),
        if_not_exists=True,
        **MYSQL,
    )
