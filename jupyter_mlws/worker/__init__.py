"""Runs one job on one kernel, in a process and a session of its own; knows nothing of the database."""
