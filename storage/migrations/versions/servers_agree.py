"""Servers say who may log in there, so that the servers of one chat see whether they agree."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    if not any(column["name"] == "auth" for column in sa.inspect(op.get_bind()).get_columns("servers")):
        op.add_column("servers", sa.Column("auth", sa.String(16)))
