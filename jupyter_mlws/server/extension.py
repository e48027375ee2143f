"""The Jupyter server extension: its settings, and what happens at the server's start and end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import sys
from collections.abc import Awaitable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_server.auth.identity import PasswordIdentityProvider
from jupyter_server.extension.application import ExtensionApp
from jupyter_server_proxy.handlers import AddSlashHandler
from traitlets import Bool, Float, Integer, List, Unicode

from jupyter_mlws.model.errors import MlwsError
from jupyter_mlws.model.forking import PRELOAD
from jupyter_mlws.processes.runtime_folder import make_runtime_folder
from jupyter_mlws.server import mlflow_pages, publishing
from jupyter_mlws.server.doors import Doors
from jupyter_mlws.server.gate import Gate
from jupyter_mlws.server.handler import ApiHandler, UploadHandler
from jupyter_mlws.server.idle import has_open_jobs, until_idle
from jupyter_mlws.server.notebook_lookup import NotebookLookup
from jupyter_mlws.server.opening import open_services
from jupyter_mlws.server.route import PREFIX
from jupyter_mlws.server.routing import Routing
from jupyter_mlws.server.runtime_file import FILE_VARIABLE, WORKSPACE_VARIABLE, RuntimeFile, address
from jupyter_mlws.server.workspaces import Workspaces
from jupyter_mlws.version import version

if TYPE_CHECKING:
    from jupyter_mlws.app import Services, Settings

_CLOSE_SECONDS = 2.5


class MlwsApp(ExtensionApp):
    """A machine-learning workspace inside a Jupyter server."""

    name = "jupyter_mlws"
    app_name = "jupyter_mlws"

    workspace = Unicode(
        "",
        help="Name of the workspace, or the path of its folder (with a /). Empty: the environment variable "
        "MLWS_WORKSPACE, then the workspace that was activated last, then `default`.",
    ).tag(config=True)
    cpus = Float(
        None, allow_none=True, help="CPUs that jobs may take together. None: as many as this process may use."
    ).tag(config=True)
    memory = Integer(
        None, allow_none=True, help="Bytes of memory that jobs may take together. None: the machine's."
    ).tag(config=True)
    gpus = Integer(None, allow_none=True, help="GPUs that jobs may take. None: those that are found.").tag(
        config=True
    )
    price_per_hour = Float(
        0.0, help="US dollars for an hour of one job on the compute `local`; each job shows its cost."
    ).tag(config=True)
    mlflow = Bool(True, help="Whether jobs are tracked in MLflow.").tag(config=True)
    mlflow_idle_seconds = Float(
        300.0,
        help="Seconds without a request or a job after which MLflow's server ends, until the next.",
    ).tag(config=True)
    nice = Integer(
        15,
        min=0,
        max=19,
        help="Niceness of jobs on this machine that take longer than a second: where CPUs are short, what "
        "people do there goes first.",
    ).tag(config=True)
    fork = Bool(
        True,
        help="Whether jobs start in processes forked from one that has imported what they need (Linux). "
        "False: each starts from nothing.",
    ).tag(config=True)
    preload = List(
        Unicode(), list(PRELOAD), help="Modules that jobs' kernels have imported already; no threads, no GPU."
    ).tag(config=True)
    spares = Integer(
        2,
        help="Kernels that wait, ready, for each Python that jobs use; if not 0, one on other servers, too.",
    ).tag(config=True)
    fork_idle_seconds = Float(
        300.0,
        help="Seconds without a job after which the processes that are forked from end, and kernels that "
        "wait on other servers.",
    ).tag(config=True)
    snapshot_files = Integer(
        10_000, help="Number of files above which a folder is not copied for a job."
    ).tag(config=True)
    snapshot_bytes = Integer(300 * 2**20, help="Bytes above which a folder is not copied for a job.").tag(
        config=True
    )
    headless = Bool(
        False, help="Whether the server was started for commands and notebooks elsewhere, and ends when idle."
    ).tag(config=True)
    idle_minutes = Float(
        20.0, help="Minutes without a request and without a job, after which a headless server ends."
    ).tag(config=True)

    def initialize_settings(self) -> None:
        """Make what the handlers need. Nothing is opened yet."""
        publishing.register(self._server.event_logger)
        self._give_token()
        contents = self._server.contents_manager
        root_dir = getattr(contents, "root_dir", None)
        root = Path(root_dir) if root_dir else None
        self._emitter = publishing.ChangeEmitter(self._server.event_logger)
        self._runtime_file: RuntimeFile | None = None
        self._idle: asyncio.Task[None] | None = None
        self._gate = Gate(
            choice=self.workspace or None,
            open_services=self._open,
            opened=self._opened,
            failed=self._failed,
        )
        self._workspaces = Workspaces(self._gate)
        self._doors = Doors(
            gate=self._gate,
            workspaces=self._workspaces,
            notebooks=NotebookLookup(
                events=self._server.event_logger,
                session_of=self._session_of,
                contents=contents,
                root=root,
            ),
            root=root,
            version=version(),
            headless=self.headless,
            describe=_openapi,
            log=self.log,
        )

    def initialize_handlers(self) -> None:
        """Put our routes and MLflow's pages into the server."""
        doors = {"doors": self._doors}
        api = {**doors, "routing": Routing()}
        self.handlers.extend(
            [
                (f"{PREFIX}/blobs(?:/.*)?", UploadHandler, api),
                (f"{PREFIX}(?:/.*)?", ApiHandler, api),
                (mlflow_pages.PATTERN, mlflow_pages.MlflowPagesHandler, doors),
                ("/mlws/mlflow", AddSlashHandler),
            ]
        )

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        """Open the workspace beside the server, which answers from now on."""
        if not serverapp.sock:
            self._runtime_file = RuntimeFile(
                url=address(
                    scheme="https" if serverapp.certfile else "http",
                    ip=serverapp.ip,
                    port=serverapp.port,
                    base_url=serverapp.base_url,
                ),
                # Under JupyterHub a server is opened by the token that the hub gave it.
                token=serverapp.identity_provider.token or os.environ.get("JUPYTERHUB_API_TOKEN", ""),
                headless=self.headless,
            )
        self._gate.start()
        if self.headless:
            self._idle = asyncio.create_task(self._end_when_idle())

    async def stop_extension(self) -> None:
        """Close the workspace, quickly. Jobs and MLflow run on."""
        if self._runtime_file is not None:
            self._runtime_file.remove()
        if self._idle is not None:
            self._idle.cancel()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._gate.close(), _CLOSE_SECONDS)

    def current_activity(self) -> dict[str, int] | None:
        """The jobs that wait or run, so that Jupyter's own idle shutdown does not end the server then."""
        services = self._gate.current
        if services is None:
            return None
        from jupyter_mlws.store import jobs

        with services.database.read() as transaction:
            counts = jobs.counts(transaction)
        return counts if has_open_jobs(counts) else None

    @property
    def _server(self) -> Any:
        return self.serverapp

    def _give_token(self) -> None:
        """A server with a password alone gets a token too, by which its own notebooks reach it."""
        provider = self._server.identity_provider
        if isinstance(provider, PasswordIdentityProvider) and provider.hashed_password and not provider.token:
            provider.token = secrets.token_hex(24)

    async def _session_of(self, kernel_id: str) -> dict[str, Any]:
        found: dict[str, Any] = await self._server.session_manager.get_session(kernel_id=kernel_id)
        return found

    def _open(self, choice: str | None) -> Awaitable[Services]:
        return open_services(choice, settings=self._settings, on_change=self._emitter.publish)

    def _settings(self) -> Settings:
        from jupyter_mlws.app import Settings
        from jupyter_mlws.jobs.snapshot import Limits

        return Settings(
            cpus=self.cpus,
            memory=self.memory,
            gpus=self.gpus,
            price_per_hour=self.price_per_hour,
            mlflow=self.mlflow,
            mlflow_idle=self.mlflow_idle_seconds,
            nice=self.nice,
            fork=self.fork,
            preload=tuple(self.preload),
            spares=self.spares,
            fork_idle=self.fork_idle_seconds,
            snapshot=Limits(files=self.snapshot_files, total=self.snapshot_bytes),
        )

    async def _opened(self, services: Services) -> None:
        """Tell kernels and commands where this workspace is served."""
        workspace = services.workspace
        self._workspaces.visited(workspace)
        # Kernels that are started from now on inherit them; they are hints, the files are the truth.
        os.environ[WORKSPACE_VARIABLE] = workspace.path
        if self._runtime_file is not None:
            folder = await asyncio.to_thread(make_runtime_folder, workspace.id)
            file = await asyncio.to_thread(self._runtime_file.write, workspace, folder=folder)
            os.environ[FILE_VARIABLE] = str(file)
        self.log.info("Workspace %s (%s)", workspace.name, workspace.path)

    def _failed(self, error: MlwsError) -> None:
        if self.headless:
            # Nobody would ever see the answers: whoever started it reads its last line.
            sys.exit(str(error))
        self.log.warning("%s", error)

    async def _end_when_idle(self) -> None:
        async def counts() -> dict[str, int]:
            services = self._gate.current
            return {} if services is None else await services.jobs.counts()

        await until_idle(
            after=timedelta(minutes=self.idle_minutes),
            last_activity=self._server.web_app.last_activity,
            counts=counts,
            busy=lambda: len(self._server.kernel_manager) > 0,
        )
        self.log.info("No job and no request for %g minutes: this server ends.", self.idle_minutes)
        self._server.stop()


def _openapi() -> str:
    from jupyter_mlws.server.openapi import as_text

    return as_text()
