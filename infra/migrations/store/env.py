"""Alembic's entry: runs the revisions of the store database on the connection that `infra.migrations` hands over."""

from alembic import context

from parley.backends.sql.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, version_table="schema_version_store")
with context.begin_transaction():
    context.run_migrations()
