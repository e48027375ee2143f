"""The ground that everything stands on: metadata in SQLite, blobs and folders, outbox, lease, audit log.

Everything here is synchronous and safe to call from any thread; services call it through
`asyncio.to_thread`. It knows neither Jupyter's server nor MLflow.
"""
