"""Jobs: accepted, queued, started as attempts, followed by their logs, ended, kept."""
