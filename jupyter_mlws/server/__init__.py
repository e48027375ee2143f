"""The Jupyter server extension: thin routes over the services, events, identity, MLflow's pages."""
