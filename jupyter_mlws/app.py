"""Composes the services of one workspace; no logic of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Self

from jupyter_mlws.compute.builders import BUILDERS, Builder
from jupyter_mlws.compute.local import LocalCompute
from jupyter_mlws.compute.roster import Computes
from jupyter_mlws.compute.service import ComputeService
from jupyter_mlws.compute.warm_kernels import WarmKernels
from jupyter_mlws.forking.client import end_servers
from jupyter_mlws.jobs.controller import JobController
from jupyter_mlws.jobs.launch import Launcher
from jupyter_mlws.jobs.preloaded import preloaded
from jupyter_mlws.jobs.publishing import Publisher
from jupyter_mlws.jobs.recording import Recorder
from jupyter_mlws.jobs.records import JobRecords
from jupyter_mlws.jobs.service import JobService
from jupyter_mlws.jobs.shipping import Shipping
from jupyter_mlws.jobs.snapshot import Limits
from jupyter_mlws.jobs.waiting import Waiting
from jupyter_mlws.model.events import Change
from jupyter_mlws.model.forking import PRELOAD, Forking
from jupyter_mlws.model.workspace import Workspace
from jupyter_mlws.processes.runtime_folder import make_runtime_folder
from jupyter_mlws.reconcile.doorbell import Doorbell, ring
from jupyter_mlws.reconcile.leadership import Leadership
from jupyter_mlws.reconcile.loop import ReconcileLoop
from jupyter_mlws.store import jobs as rows
from jupyter_mlws.store.blobs import Blobs
from jupyter_mlws.store.database import Database
from jupyter_mlws.store.layout import Layout
from jupyter_mlws.store.tokens import Tokens
from jupyter_mlws.tracking.server import TrackingServer
from jupyter_mlws.tracking.standby import Standby

_CLOSE_SECONDS = 1.7  # for what waits on other servers to be ended


@dataclass(frozen=True)
class Settings:
    """What an operator may set. None stands for what the machine has."""

    cpus: float | None = None
    memory: int | None = None
    """Bytes."""
    gpus: int | None = None
    price_per_hour: float = 0.0
    """US dollars for an hour of one job on the compute `local`."""
    mlflow: bool = True
    mlflow_idle: float = 300.0
    """Seconds without a request or a job after which MLflow's server ends."""
    nice: int = 15
    """Niceness of jobs on this machine that take longer than a second."""
    fork: bool = True
    """Whether workers and kernels are forked from processes that have imported what jobs need."""
    preload: tuple[str, ...] = PRELOAD
    spares: int = 2
    """Kernels that wait for each Python in use here, and if not 0, one on each other server in use."""
    fork_idle: float = 300.0
    """Seconds."""
    snapshot: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Services:
    """Everything that a server offers of one workspace."""

    workspace: Workspace
    layout: Layout
    database: Database
    blobs: Blobs
    records: JobRecords
    jobs: JobService
    waiting: Waiting
    computes: ComputeService
    tracking: TrackingServer | None
    loop: ReconcileLoop
    publisher: Publisher
    forking: Forking | None
    warm: WarmKernels | None

    @property
    def leader(self) -> bool:
        """Whether this server leads the workspace."""
        return self.loop.leads

    @classmethod
    async def open(
        cls,
        workspace: Workspace,
        settings: Settings,
        *,
        on_change: Callable[[list[Change]], None],
        builders: Mapping[str, Builder] = BUILDERS,
    ) -> Self:
        """Open a workspace that `store.workspaces.open` has made, and begin to serve it.

        `on_change` is called on this event loop with what changed. `builders` make computes by their type.
        Raises the errors of the store.
        """
        layout = Layout(await asyncio.to_thread(_resolved, workspace))
        runtime = await asyncio.to_thread(make_runtime_folder, workspace.id)
        database = await asyncio.to_thread(Database.open, layout)
        blobs = Blobs(layout.blobs)
        forking = _forking(settings, runtime)
        tokens = Tokens(layout.tokens)
        event_loop = asyncio.get_running_loop()
        publisher: Publisher

        def changed() -> None:
            event_loop.call_soon(publisher.wake)

        waiting = Waiting()

        def publish(changes: list[Change]) -> None:
            waiting.changed(changes)
            on_change(changes)

        bell_path = runtime / "doorbell.sock"
        doorbell = Doorbell(bell_path, heard=waiting.log_grew)
        records = JobRecords(database, changed=changed)
        publisher = Publisher(records, publish)
        warm = _warm(settings, layout, records, tokens)
        computes = Computes(_local(settings, forking), tokens=tokens, builders=builders, warm=warm)
        tracking = _tracking(settings, layout, runtime)
        shipping = Shipping(tracking, records=records, layout=layout)
        recorder = Recorder(tracking, blobs=blobs, begun=shipping.begun, doorbell=bell_path)
        launcher = Launcher(
            layout=layout,
            blobs=blobs,
            doorbell=bell_path,
            recorder=recorder,
            forking=forking,
            nice=settings.nice,
        )
        controller = JobController(
            records=records,
            layout=layout,
            blobs=blobs,
            computes=computes,
            launcher=launcher,
            recorder=recorder,
            shipping=shipping,
            ring=partial(doorbell.ring, patient=True),
        )
        loop = ReconcileLoop(
            leadership=Leadership(database),
            doorbell=doorbell,
            controllers=[controller, Standby(tracking), *([] if warm is None else [warm])],
        )

        def wake_the_leader(id: str) -> None:
            if loop.leads:
                doorbell.ring(id)
            else:
                ring(bell_path, id)

        jobs = JobService(
            records=records,
            layout=layout,
            blobs=blobs,
            computes=computes,
            limits=settings.snapshot,
            waiting=waiting,
            ring=wake_the_leader,
        )
        services = cls(
            workspace=workspace,
            layout=layout,
            database=database,
            blobs=blobs,
            records=records,
            jobs=jobs,
            waiting=waiting,
            computes=ComputeService(computes, records=records, tokens=tokens, warm=warm),
            tracking=tracking,
            loop=loop,
            publisher=publisher,
            forking=forking,
            warm=warm,
        )
        await publisher.start()
        loop.start()
        return services

    def let_go(self) -> None:
        """Answer those who wait for a job with what there is; nobody is held any more."""
        self.waiting.close()

    async def close(self) -> None:
        """Serve no more; jobs run on, and while there are any so do MLflow and the fork servers."""
        self.let_go()
        needed = not self.leader or bool(await self.records.read(rows.active))
        if self.warm is not None:
            await self.warm.close(seconds=_CLOSE_SECONDS)
        await self.loop.close()
        await self.publisher.close()
        await self.jobs.close()
        if self.tracking is not None and not needed:
            await self.tracking.stop()
        if self.forking is not None and not needed:
            await asyncio.to_thread(end_servers, Path(self.forking.root))
        await asyncio.to_thread(self.database.close)


def _forking(settings: Settings, runtime: Path) -> Forking | None:
    if not settings.fork:
        return None
    return Forking(
        root=str(runtime),
        preload=settings.preload,
        helpers=preloaded(settings.preload),
        spares=settings.spares,
        idle=settings.fork_idle,
    )


def _warm(settings: Settings, layout: Layout, records: JobRecords, tokens: Tokens) -> WarmKernels | None:
    if settings.spares == 0:
        return None
    return WarmKernels(layout.spares, records=records, tokens=tokens, idle=settings.fork_idle)


def _tracking(settings: Settings, layout: Layout, runtime: Path) -> TrackingServer | None:
    if not settings.mlflow:
        return None
    return TrackingServer(layout, runtime=runtime, idle=settings.mlflow_idle)


def _local(settings: Settings, forking: Forking | None) -> LocalCompute:
    return LocalCompute(
        cpus=settings.cpus,
        memory=settings.memory,
        gpus=settings.gpus,
        price_per_hour=settings.price_per_hour,
        forking=forking,
    )


def _resolved(workspace: Workspace) -> Path:
    return Path(workspace.path).resolve()
