"""Alembic's entry: runs the revisions of the keys database on the connection that `infra.migrations` hands over."""

from alembic import context

from parley.backends.sql.tables import keys_metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=keys_metadata, version_table="schema_version_keys")
with context.begin_transaction():
    context.run_migrations()
