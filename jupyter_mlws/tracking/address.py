"""Where MLflow's server is: its address, and the record of its process in `server.json`."""

from __future__ import annotations

import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

import psutil
from pydantic import ValidationError

from jupyter_mlws.model.record import Record
from jupyter_mlws.processes.identity import ProcessRef
from jupyter_mlws.store.durable import write_atomically

HEALTH = "/mlws/health"
"""Path at which the server answers what `health` gives, by either door."""


def health(pid: int) -> dict[str, int]:
    """Return what the server with this pid answers.

    The number is raised when what jobs ask of the server changes: one that was started by an older version
    of this package, and outlived it, is then replaced and not adopted.
    """
    return {"pid": pid, "version": 4}


SOCKET = "mlflow.sock"
"""Name of the unix socket in the runtime folder."""


@dataclass(frozen=True)
class TrackingAddress:
    """How to reach MLflow's server: by TCP with a bearer token, or by its unix socket without."""

    url: str
    """`http://127.0.0.1:<port>`, for MLflow clients on this machine."""
    token: str
    """For `MLFLOW_TRACKING_TOKEN`, or the header `Authorization: Bearer <token>`."""
    socket: Path
    """Unix socket in a folder of mode 0700; asks for no token. Send `Host: localhost`."""


class ServerRecord(Record):
    """What `server.json` holds. Port and token stay when the process ends: the next one takes them."""

    pid: int | None = None
    process_started: float | None = None
    """See `processes.identity`."""
    port: int
    token: str
    socket: str
    """Path of the unix socket."""

    @property
    def address(self) -> TrackingAddress:
        """The address that the record describes."""
        return TrackingAddress(
            url=f"http://127.0.0.1:{self.port}", token=self.token, socket=Path(self.socket)
        )

    @property
    def process(self) -> ProcessRef | None:
        """The living process of the record; None when it has ended, or the pid is another's."""
        if self.pid is None or self.process_started is None:
            return None
        ref = ProcessRef(self.pid, self.process_started)
        return ref if ref.alive() else None

    def stopped(self) -> ServerRecord:
        """The same record without a process."""
        return self.model_copy(update={"pid": None, "process_started": None})

    def moved_to(self, address: TrackingAddress) -> ServerRecord:
        """The same record with another address."""
        port = int(address.url.rpartition(":")[2])
        return self.model_copy(update={"port": port, "token": address.token, "socket": str(address.socket)})


def read_record(path: Path) -> ServerRecord | None:
    """Return the record in the file at `path`, or None when there is none that can be read."""
    try:
        return ServerRecord.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def write_record(path: Path, record: ServerRecord) -> None:
    """Write `record` to `path` at once and for the owner alone (mode 0600): it holds the token."""
    write_atomically(path, record.model_dump_json().encode())


def new_record(runtime: Path) -> ServerRecord:
    """Return a record of no process, with a port that is free now and a new token."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    return ServerRecord(port=port, token=secrets.token_urlsafe(32), socket=str(runtime / SOCKET))


def claim_record(path: Path, record: ServerRecord) -> bool:
    """Write `record` to `path` unless there is one; False if there is."""
    incoming = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    write_record(incoming, record)
    try:
        os.link(incoming, path)
    except FileExistsError:
        return False
    finally:
        incoming.unlink()
    return True


def folder_of(process: ProcessRef) -> Path | None:
    """Return the folder that the process works in, which is the one it serves; None when it just ended."""
    try:
        return Path(psutil.Process(process.pid).cwd())
    except psutil.Error:
        return None
