"""The process of MLflow's server: `python -m jupyter_mlws.tracking.serve` in `<workspace>/mlflow`.

It is started by `tracking/launch.py`, which hands it two listening sockets and, on standard input, its
token. One process serves both: TCP on the loopback interface, where the bearer token is demanded, and a
unix socket in a folder of mode 0700, where it is not. All paths are relative to the current folder, so
that the workspace may be moved, even while this runs, and may hold any character in its name.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import threading
from pathlib import Path
from typing import Any

from jupyter_mlws.processes.identity import ProcessRef
from jupyter_mlws.store.layout import Layout
from jupyter_mlws.tracking.address import ServerRecord, write_record
from jupyter_mlws.tracking.door import App, Door
from jupyter_mlws.tracking.idle import Idle, IdleEnd
from jupyter_mlws.tracking.listening import Listening
from jupyter_mlws.tracking.mlflow_database import (
    FILE,
    URI,
    Unusable,
    analyze,
    analyze_for_ever,
    prepare_database,
)
from jupyter_mlws.tracking.mlflow_environment import prepare_environment

_FAILED = 3
_UNSHIPPED = "unshipped"


def _leave_out_arrow() -> None:
    """Have pandas do without what no request needs: a seventh of the memory, and half a second."""
    sys.modules["pyarrow"] = None  # type: ignore[assignment]


def _load_application() -> App:
    from mlflow.server import handlers

    from jupyter_mlws.tracking import chosen_ids

    # Before the application, which makes its store as it is imported.
    chosen_ids.register(handlers._tracking_store_registry, "sqlite")
    from mlflow.server.fastapi_app import app

    # At the first request otherwise, and a broken database would show only there.
    handlers.initialize_backend_stores(URI, URI, os.environ["_MLFLOW_SERVER_ARTIFACT_ROOT"])
    application: App = app
    return application


def _door(application: App, *, token: str, workspace: Path) -> Door:
    from mlflow.server import app as of_flask
    from mlflow.server import handlers

    from jupyter_mlws.tracking.shipyard import MlflowStore, Shipyard

    kept: Any = handlers._get_tracking_store()
    store = MlflowStore(kept.engine, of_flask)
    shipyard = Shipyard(
        store, layout=Layout(workspace), artifacts=Path("artifacts"), unshipped=Path(_UNSHIPPED)
    )
    kept.bring = shipyard.bring
    return Door(application, token=token, ship=shipyard.answer)


def _renew_connections() -> None:
    from mlflow.server import handlers

    store: Any = handlers._get_tracking_store()
    store.engine.dispose()  # those in use are closed when they are given back


def _record_process(listening: Listening, *, token: str) -> None:
    process = ProcessRef.this()
    record = ServerRecord(
        pid=process.pid,
        process_started=process.started,
        port=listening.port,
        token=token,
        socket=str(listening.path),
    )
    write_record(Path("server.json"), record)


def _serve(listening: Listening, *, token: str, idle: float, workspace: Path) -> None:
    import uvicorn

    folder = Path.cwd()
    shutil.rmtree(folder / "tmp", ignore_errors=True)
    for name in ("tmp", "artifacts"):
        Path(name).mkdir(exist_ok=True)
    prepare_environment(os.environ, folder=folder)
    _leave_out_arrow()
    prepare_database(Path(FILE))
    application = _load_application()
    analyze(Path(FILE))
    threading.Thread(
        target=analyze_for_ever, args=[Path(FILE)], kwargs={"renew": _renew_connections}, daemon=True
    ).start()
    door = Idle(_door(application, token=token, workspace=workspace))
    end = IdleEnd(door, listening, after=idle, unshipped=Path(_UNSHIPPED))
    config = uvicorn.Config(
        door,
        loop="asyncio",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=5,
        callback_notify=end.look,
        timeout_notify=0,  # at each tick that looks, which is one a second
    )
    end.server = uvicorn.Server(config)
    end.server.run(sockets=list(listening.both))


def main() -> int:
    """Serve until SIGTERM, or until idle.

    Returns the exit code: 0, or 3 with a sentence in the last line of the log.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tcp", type=int, required=True, help="descriptor of the listening TCP socket")
    parser.add_argument("--unix", type=int, required=True, help="descriptor of the listening unix socket")
    parser.add_argument("--lock", type=int, required=True, help="descriptor of the lock on the start")
    parser.add_argument("--idle", type=float, required=True, help="seconds of silence after which it ends")
    parser.add_argument("--workspace", type=Path, default=Path(".."), help="from the current folder")
    options = parser.parse_args()
    os.umask(0o077)
    token = sys.stdin.readline().strip()
    if not token:
        # Whoever started this died before it could say; an empty token would let everybody in.
        print("mlws: It was given no token.", file=sys.stderr, flush=True)
        return _FAILED
    listening = Listening.received([options.tcp, options.unix])
    for each in listening.both:
        each.set_inheritable(False)
    _record_process(listening, token=token)
    # From here on whoever takes the lock finds this process in server.json.
    os.close(options.lock)
    try:
        _serve(listening, token=token, idle=options.idle, workspace=options.workspace)
    except Unusable as error:
        sentence = str(error)
    except ImportError as error:
        sentence = f"What it needs cannot be imported by {sys.executable}: {error}."
    else:
        return 0
    print(f"mlws: {sentence}", file=sys.stderr, flush=True)
    return _FAILED


if __name__ == "__main__":
    sys.exit(main())
