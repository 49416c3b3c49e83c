"""How Alembic runs our migrations: on a connection that the caller opened."""

from alembic import context

from rl_emails_assets.db.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, include_schemas=True)
with context.begin_transaction():
    context.run_migrations()
