"""The Python client: a workspace over its server's REST, blocking and asynchronous."""

from jupyter_mlws.client.async_job import AsyncJob
from jupyter_mlws.client.async_workspace import AsyncWorkspace, aconnect
from jupyter_mlws.client.job import Job
from jupyter_mlws.client.options import JobOptions
from jupyter_mlws.client.workspace import Workspace, connect

__all__ = ["AsyncJob", "AsyncWorkspace", "Job", "JobOptions", "Workspace", "aconnect", "connect"]
