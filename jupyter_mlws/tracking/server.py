"""MLflow's server as one process of its own session, which outlives ours and is adopted again."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_mlws.model.workspace import TrackingState
from jupyter_mlws.processes.identity import ProcessRef
from jupyter_mlws.tracking.address import (
    ServerRecord,
    TrackingAddress,
    claim_record,
    folder_of,
    new_record,
    read_record,
    write_record,
)
from jupyter_mlws.tracking.kept import KeptSockets
from jupyter_mlws.tracking.launch import answers, spawn, start_lock, until_ready
from jupyter_mlws.tracking.listening import TrackingFailed

if TYPE_CHECKING:
    from jupyter_mlws.store.layout import Layout

__all__ = ["TrackingAddress", "TrackingFailed", "TrackingServer"]

UI = "mlws/mlflow/"
"""Path of MLflow's pages behind the Jupyter server, relative to its base URL."""
_TRUSTED_FOR = 10.0
_PATIENCE_ALIVE = 10.0
_PATIENCE_LOCK = 0.5
_LOOK_SECONDS = 0.1
_GRACE = 8.0


class TrackingServer:
    """MLflow's server of one workspace. Any number of these objects, in any process, share it."""

    def __init__(
        self,
        layout: Layout,
        *,
        runtime: Path,
        python: str = sys.executable,
        patience: float = 120.0,
        rest: float = 10.0,
        idle: float = 300.0,
    ) -> None:
        """Nothing is started here.

        `runtime` is the short folder of mode 0700 for the socket, `python` an interpreter that has mlflow
        and this package. A start may take `patience` seconds (a slow disk, an old database to migrate);
        after one that failed, the next is tried `rest` seconds later at the earliest. A server that is
        started here ends by itself after `idle` seconds without anything to do.
        """
        self._workspace = layout.root
        self._folder = layout.mlflow
        self.sockets = KeptSockets(runtime)
        self._python = python
        self._patience = patience
        self._rest = rest
        self._idle = idle
        self._address: TrackingAddress | None = None
        self._process: ProcessRef | None = None
        self._checked = 0.0
        self._finding: asyncio.Task[TrackingAddress] | None = None
        self._failure: tuple[float, TrackingFailed] | None = None
        self._children: list[subprocess.Popen[bytes]] = []

    async def ensure(self) -> TrackingAddress:
        """Return the address of a server that answers: the living one, or else one started now.

        Cheap while it lives: call it before every use. A start takes about 3 s, and with a new database
        twice that. Calls at the same time share one start, which goes on if a caller is cancelled.
        Raises `TrackingFailed`.
        """
        if self._address and self._is_alive() and time.monotonic() - self._checked < _TRUSTED_FOR:
            return self._address
        if self._failure and time.monotonic() - self._failure[0] < self._rest:
            raise self._failure[1].with_traceback(None)
        if self._finding is None or self._finding.done():
            self._finding = asyncio.create_task(self._find_or_start())
        return await asyncio.shield(self._finding)

    def answered(self) -> None:
        """Take note that the server has just answered: `ensure` need not ask it."""
        self._checked = time.monotonic()

    def reserve(self) -> TrackingAddress:
        """Return the address that the server has or will have, without a look at whether it runs. Quick.

        So a job is started before MLflow is; a new address is chosen only where there was never one. Call
        it in a thread. Raises `TrackingFailed`.
        """
        record = read_record(self._record_path)
        if record is not None and self._is_ours(record):
            return record.address
        self._make_folder()
        chosen = new_record(self.sockets.runtime)
        if record is None and claim_record(self._record_path, chosen):
            return chosen.address
        known = read_record(self._record_path)
        if known is not None and self._is_ours(known):
            return known.address  # another process was quicker
        write_record(self._record_path, chosen)
        return chosen.address

    def _is_ours(self, record: ServerRecord) -> bool:
        return record.process is None or self._is_to_end(record.process)

    @property
    def settings(self) -> Path:
        """The file from which the address is read again."""
        return self._record_path

    @property
    def artifacts(self) -> Path:
        """The folder in which the server keeps artifacts."""
        return self._folder / "artifacts"

    @property
    def database(self) -> Path:
        """MLflow's database."""
        return self._folder / "mlflow.db"

    @property
    def unshipped(self) -> Path:
        """Holds a file for each attempt of which MLflow has not everything yet."""
        return self._folder / "unshipped"

    async def stop(self) -> None:
        """End the server, if it runs. The next start takes the same port and token again."""
        if not self._folder.is_dir():
            return
        async with start_lock(self._folder / "server.lock", patience=self._patience):
            record, process = await asyncio.to_thread(self._look)
            if record and process and self._is_to_end(process):
                await asyncio.to_thread(_end, process)
                write_record(self._record_path, record.stopped())
        self._process = self._address = self._failure = None

    async def stand_by(self) -> ProcessRef | None:
        """Keep the sockets of the address from now on; return the server's process if it lives.

        Where it does not, `sockets.now` listen at the address on record. Raises `TrackingFailed`, also when
        another process is just starting the server.
        """
        self.sockets.stands_by = True
        _, process = await asyncio.to_thread(self._look)
        if process is not None and self._is_to_end(process):
            return process
        await asyncio.to_thread(self.reserve)
        async with start_lock(self._folder / "server.lock", patience=_PATIENCE_LOCK):
            return await asyncio.to_thread(self._listen_unless_alive)

    def state(self) -> TrackingState:
        """How it stands: `starting`, `ready`, `stopped` or `failed`, as this object knows it. Never waits."""
        if self._address and self._is_alive():
            return TrackingState(status="ready", url=self._address.url, ui=UI)
        if self._finding and not self._finding.done():
            return TrackingState(status="starting", ui=UI)
        if self._failure:
            return TrackingState(status="failed", error=str(self._failure[1]))
        kept = self.sockets.now
        url = None if kept is None else f"http://127.0.0.1:{kept.port}"
        return TrackingState(status="stopped", url=url, ui=UI)

    @property
    def _record_path(self) -> Path:
        return self._folder / "server.json"

    async def _find_or_start(self) -> TrackingAddress:
        try:
            address = await self._adopt() or await self._adopt_or_start()
        except TrackingFailed as failure:
            self._failure = (time.monotonic(), failure)
            raise
        self._failure = None
        return address

    async def _adopt(self) -> TrackingAddress | None:
        """Take on the process that `server.json` names, if it serves our folder and answers."""
        record, process = await asyncio.to_thread(self._look)
        if record is None or process is None or folder_of(process) != self._folder.resolve():
            return None
        if not await _answers_alive(record.address, process):
            return None
        self._process, self._address, self._checked = process, record.address, time.monotonic()
        return record.address

    async def _adopt_or_start(self) -> TrackingAddress:
        await asyncio.to_thread(self.reserve)
        async with start_lock(self._folder / "server.lock", patience=self._patience) as lock:
            # Another process may have started it while this one waited for the lock.
            if adopted := await self._adopt():
                return adopted
            record, process = await asyncio.to_thread(self._look)
            if process and self._is_to_end(process):
                await asyncio.to_thread(_end, process)
            elif process:
                # The workspace was copied, and this is the other one's server, port and token.
                record = None
            return await self._start(previous=record, lock=lock)

    async def _start(self, *, previous: ServerRecord | None, lock: int) -> TrackingAddress:
        listening, address = await asyncio.to_thread(self.sockets.for_start, previous)
        try:
            child = await asyncio.to_thread(
                spawn,
                self._folder,
                listening,
                workspace=self._workspace,
                token=address.token,
                python=self._python,
                idle=self._idle,
                lock=lock,
            )
            self._children.append(child)
            log = self._folder / "server.log"
            await until_ready(child, address=address, log=log, patience=self._patience)
            if self.sockets.now is None:
                self.sockets.keep(listening.again())
        finally:
            listening.close()
        self._process, self._address, self._checked = ProcessRef.of(child.pid), address, time.monotonic()
        return address

    def _listen_unless_alive(self) -> ProcessRef | None:
        record, process = self._look()
        if record is None or (process is not None and self._is_to_end(process)):
            return process
        address = self.sockets.listen(record)
        if address != record.address:
            write_record(self._record_path, record.stopped().moved_to(address))
        return None

    def _look(self) -> tuple[ServerRecord | None, ProcessRef | None]:
        self._reap()
        record = read_record(self._record_path)
        return record, record.process if record else None

    def _is_to_end(self, process: ProcessRef) -> bool:
        """Whether it is ours: it serves our folder, or one that is gone since the workspace was moved."""
        served = folder_of(process)
        return served is None or served == self._folder.resolve() or not served.exists()

    def _is_alive(self) -> bool:
        self._reap()
        return self._process is not None and self._process.alive()

    def _reap(self) -> None:
        """Take note of children that ended, so that none stays as a zombie."""
        self._children = [child for child in self._children if child.poll() is None]

    def _make_folder(self) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise TrackingFailed(
                f"MLflow's server has no folder: {self._folder} cannot be made: {error.strerror}."
            ) from error


def _end(process: ProcessRef) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        process.send(number)
        if process.wait(_GRACE):
            return


async def _answers_alive(address: TrackingAddress, process: ProcessRef) -> bool:
    """Whether the process answers. One that ends meanwhile leaves whoever asks waiting for the next."""
    answering = asyncio.create_task(answers(address, pid=process.pid, patience=_PATIENCE_ALIVE))
    try:
        while not answering.done() and process.alive():
            await asyncio.wait([answering], timeout=_LOOK_SECONDS)
        return answering.done() and answering.result()
    finally:
        answering.cancel()
