"""Processes forked from one that has imported what they need: the server, what it forks, and its client."""
