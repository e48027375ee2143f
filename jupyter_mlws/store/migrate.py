"""Bring a database to the newest tables; costs one query when it is there already."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from jupyter_mlws.model.errors import Conflict
from jupyter_mlws.store import sqlite

HEAD = "0005"
"""The newest revision in `migrations/versions`; a test holds it to that."""


class StoreTooNew(Conflict):
    """A newer version of jupyter_mlws has written this database."""

    code = "store_too_new"


def migrate(engine: sa.Engine, *, path: Path) -> None:
    """Create or upgrade the tables of the database at `path`. Raises `StoreTooNew`."""
    with engine.connect().execution_options(**sqlite.READ) as connection:
        if _revision(connection) == HEAD:
            return
    with engine.connect().execution_options(**sqlite.DURABLE_WRITE) as connection, connection.begin():
        # Again, now under the lock: another server may have done it meanwhile.
        if _revision(connection) != HEAD:
            _upgrade(connection, path=path)


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return None if found is None else str(found)


def _upgrade(connection: sa.Connection, *, path: Path) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", "jupyter_mlws.store:migrations")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreTooNew(
            f"The database {path} was written by a newer version of jupyter_mlws.",
            hint="Upgrade jupyter_mlws, or choose another workspace with MLWS_WORKSPACE.",
        ) from error
