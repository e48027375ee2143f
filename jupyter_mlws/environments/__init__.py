"""What a job's interpreter has installed, and how it is had again: a lock becomes a cached environment."""
