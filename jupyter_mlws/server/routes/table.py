"""The table of all routes, from which the handlers and the OpenAPI document are made."""

from __future__ import annotations

from jupyter_mlws.server.route import AnyRoute
from jupyter_mlws.server.routes import (
    audit,
    blobs,
    computes,
    experiments,
    job_files,
    jobs,
    notebooks,
    status,
    tracking,
    workspaces,
)

ROUTES: tuple[AnyRoute, ...] = (
    *status.ROUTES,
    *workspaces.ROUTES,
    *computes.ROUTES,
    *blobs.ROUTES,
    *jobs.ROUTES,
    *job_files.ROUTES,
    *experiments.ROUTES,
    *audit.ROUTES,
    *notebooks.ROUTES,
    *tracking.ROUTES,
)
