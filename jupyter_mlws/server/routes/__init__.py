"""The routes, one file a noun; `table.py` holds them all."""
