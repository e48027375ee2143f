"""The noun `workspace`: the folder that holds everything."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from jupyter_mlws.model.record import Moment, Record

WorkspaceName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""1 to 64 letters, digits, `.`, `_` and `-`, not starting with a sign: it names a folder."""


class Workspace(Record):
    """A workspace as a user sees it."""

    name: str
    id: str
    path: str
    created_at: Moment
    current: bool = False


class WorkspaceCreate(Record):
    """Ask for a new workspace beside the others."""

    name: WorkspaceName


class TrackingState(Record):
    """How MLflow's server stands: `starting`, `ready`, `stopped` or `failed`."""

    status: str
    url: str | None = None
    """Address for MLflow clients on this machine."""
    ui: str | None = None
    """Path of MLflow's pages behind this server, relative to its base URL."""
    error: str | None = None


class ServerStatus(Record):
    """What is behind the address that answered."""

    version: str
    workspace: Workspace
    leader: bool
    headless: bool = False
    user: str
    tracking: TrackingState
    jobs: dict[str, int]
    """Number of jobs by status."""


class AuditEntry(Record):
    """One change: who, when, what, before and after."""

    sequence: int
    at: Moment
    who: str
    action: str
    noun: str
    id: str
    before: str | None = None
    """JSON."""
    after: str | None = None
    """JSON."""


class AuditPage(Record):
    """A page of the audit log, newest first."""

    entries: list[AuditEntry]
    next: str | None = None
