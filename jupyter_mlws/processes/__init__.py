"""Processes known for certain, by pid and start time: whether they live, when they end, where they meet."""
