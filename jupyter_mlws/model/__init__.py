"""The nouns of a workspace as typed records; pure, no I/O, imports nothing else of ours."""
