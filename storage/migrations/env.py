"""Run by Alembic: migrations go through the connection, and in the transaction, of who asked for them."""

from alembic import context

from storage.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
