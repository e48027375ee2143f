"""Alembic runs this file; the connection comes from `store.migrate`, inside its transaction."""

from __future__ import annotations

from alembic import context

from jupyter_mlws.store.tables import metadata

# The whole upgrade is one transaction, which the caller commits: a kill in the middle leaves nothing behind.
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,
    render_as_batch=True,
)
context.run_migrations()
