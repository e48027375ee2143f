"""MLflow: its server, a process that outlives ours; the runs of jobs; what makes a job log into its run."""
