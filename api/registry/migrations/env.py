"""Runs migrations over the connection that the registry has opened; there is no configuration file."""

from alembic import context

from api.registry.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
context.run_migrations()
