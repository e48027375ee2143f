"""Processes known for certain, by pid and start time: whether they live, when they end, and their end."""
