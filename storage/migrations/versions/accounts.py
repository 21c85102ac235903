"""Accounts: names that need their password.

What is there already is left: MySQL commits each statement, so an upgrade may have been cut off between two.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

MYSQL = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("user", sa.String(96), primary_key=True),
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("likeness", sa.String(255), nullable=False, unique=True),
        sa.Column("password", sa.String(255), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        if_not_exists=True,
        **MYSQL,
    )
