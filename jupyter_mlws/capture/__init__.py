"""Which names a cell needs, and how variables are packed and unpacked; knows nothing of jobs."""
