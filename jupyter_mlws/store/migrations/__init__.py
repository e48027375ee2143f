"""Alembic's migrations, shipped with the package; `versions/` has a file for each change of the tables."""
