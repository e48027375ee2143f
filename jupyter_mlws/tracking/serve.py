"""The process of MLflow's server: `python -m jupyter_mlws.tracking.serve` in `<workspace>/mlflow`.

It is started by `tracking/launch.py`, which hands it two listening sockets and, on standard input, its
token. One process serves both: TCP on the loopback interface, where the bearer token is demanded, and a
unix socket in a folder of mode 0700, where it is not. All paths are relative to the current folder, so
that the workspace may be moved, even while this runs, and may hold any character in its name.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import sqlite3
import sys
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from jupyter_mlws.processes.identity import ProcessRef
from jupyter_mlws.tracking.address import HEALTH, ServerRecord, health, write_record
from jupyter_mlws.tracking.idle import Idle, IdleEnd
from jupyter_mlws.tracking.listening import Listening

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

_Scope: TypeAlias = MutableMapping[str, Any]
_Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_App: TypeAlias = Callable[[_Scope, _Receive, _Send], Awaitable[None]]

_DATABASE = "mlflow.db"
_URI = f"sqlite:///{_DATABASE}"
_ANALYZE_EVERY = 3600.0
_LOOK_EVERY = 60.0
_FAILED = 3


class Unusable(Exception):
    """The server cannot start; the text is a sentence for the user."""


class Door:
    """An ASGI application before MLflow's: demands the token, and says which process answers."""

    def __init__(self, app: _App, *, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        """Answer or refuse one request; the arguments are those of ASGI."""
        if scope["type"] in ("http", "websocket"):
            if not self._may_enter(scope):
                return await _answer(scope, send, status=401, body=_REFUSAL)
            if scope["path"] == HEALTH:
                return await _answer(scope, send, status=200, body=health(os.getpid()))
        await self._app(scope, receive, send)

    def _may_enter(self, scope: _Scope) -> bool:
        server = scope.get("server")
        # uvicorn gives the path and no port for a unix socket; anything else must show the token.
        if server is not None and server[1] is None:
            return True
        headers = dict(scope["headers"])
        return secrets.compare_digest(headers.get(b"authorization", b""), self._expected)


_REFUSAL = {
    "error_code": "UNAUTHENTICATED",
    "message": "MLflow's server of this workspace demands its token: set MLFLOW_TRACKING_TOKEN.",
}


async def _answer(scope: _Scope, send: _Send, *, status: int, body: dict[str, Any]) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    content = json.dumps(body).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def prepare_environment(environment: MutableMapping[str, str], *, folder: Path) -> None:
    """Set what MLflow's server reads of `environment`, which is done before mlflow is imported.

    The `_MLFLOW_SERVER_*` variables are private to MLflow: its own command sets them so
    (mlflow/server/__init__.py, `_run_server`, version 3.17.2).
    """
    # Settings that the user made for clients would change the server, such as MLFLOW_TRACKING_URI.
    for name in [name for name in environment if name.startswith(("MLFLOW_", "_MLFLOW_"))]:
        if not name.startswith("MLFLOW_CRYPTO_"):
            del environment[name]
    environment.update(
        {
            "_MLFLOW_SERVER_FILE_STORE": _URI,
            "_MLFLOW_SERVER_REGISTRY_STORE": _URI,
            "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
            "_MLFLOW_SERVER_ARTIFACT_DESTINATION": "./artifacts",
            "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
            "_MLFLOW_SERVER_BOOT_ID": secrets.token_hex(16),
            "_MLFLOW_SGI_NAME": "uvicorn",
            "_MLFLOW_IN_JOB_EXECUTOR": "false",
            "MLFLOW_SERVER_ALLOWED_HOSTS": "localhost,localhost:*,127.0.0.1,127.0.0.1:*",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "true",
            # Only a new connection of SQLite takes account of newer statistics (see `analyze`).
            "MLFLOW_SQLALCHEMYSTORE_POOL_RECYCLE": str(int(_ANALYZE_EVERY)),
            # Uploads pass through here: on the disk of the artifacts, not in a small /tmp.
            "TMPDIR": str(folder / "tmp"),
        }
    )


def prepare_database(file: Path) -> None:
    """Put the database into WAL mode, and migrate it if an older MLflow wrote it. Raises `Unusable`."""
    try:
        connection = sqlite3.connect(file, timeout=30)
        try:
            # A file system that cannot do WAL keeps its mode, which works too.
            connection.execute("PRAGMA journal_mode=WAL").fetchone()
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise Unusable(f"MLflow's database {file.name} cannot be used: {error}.") from error
    _use_faster_commits()
    _migrate(file)


def _use_faster_commits() -> None:
    """With WAL, synchronous=NORMAL is consistent, and a commit need not wait for the disk."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    @event.listens_for(Engine, "connect")
    def _connected(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA synchronous=NORMAL")


def _migrate(file: Path) -> None:
    from alembic.util import CommandError
    from mlflow.store.db import utils as untyped

    utils: Any = untyped
    engine: Engine = utils.create_sqlalchemy_engine(_URI)
    try:
        if utils._is_empty_database(engine):
            return  # MLflow makes the tables of a new database itself.
        found, newest = utils._get_schema_version(engine), utils._get_latest_schema_revision()
        if found == newest:
            return
        _back_up(file, suffix=f"before-{newest}")
        utils._upgrade_db(engine)
    except CommandError as error:
        raise Unusable(
            f"MLflow's database {file.name} was written by a newer MLflow than the one installed: {error}."
        ) from error
    finally:
        engine.dispose()


def _back_up(file: Path, *, suffix: str) -> None:
    source = sqlite3.connect(file)
    target = sqlite3.connect(file.with_name(f"{file.name}.{suffix}"))
    try:
        source.backup(target)
    finally:
        target.close()
        source.close()


def analyze(file: Path) -> None:
    """Gather SQLite's statistics: without them, MLflow's search over 60,000 runs takes 35 s, not 0.4 s."""
    connection = sqlite3.connect(file, timeout=30)
    try:
        connection.execute("PRAGMA analysis_limit=10000")
        connection.execute("ANALYZE")
        connection.commit()
    finally:
        connection.close()


def is_due(pages: int, *, analyzed: int, seconds: float) -> bool:
    """Whether to gather statistics: the last were of `analyzed` pages, `seconds` ago. Pure.

    The plan changes where a table has grown, so a new workspace does not wait for an hour.
    """
    return pages >= 1.5 * analyzed or (pages != analyzed and seconds >= _ANALYZE_EVERY)


def _analyze_for_ever(file: Path, *, renew: Callable[[], None]) -> None:
    """Gather statistics as the database grows; `renew` has new connections made, which read them."""
    analyzed, at = _pages(file), time.monotonic()
    while True:
        time.sleep(_LOOK_EVERY)
        try:
            if is_due(_pages(file), analyzed=analyzed, seconds=time.monotonic() - at):
                analyze(file)
                renew()
                analyzed, at = _pages(file), time.monotonic()
        except sqlite3.Error as error:
            print(f"The statistics of {file.name} were not renewed: {error}", file=sys.stderr, flush=True)


def _pages(file: Path) -> int:
    connection = sqlite3.connect(file, timeout=30)
    try:
        return int(connection.execute("PRAGMA page_count").fetchone()[0])
    finally:
        connection.close()


def _leave_out_arrow() -> None:
    """Have pandas do without what no request needs: a seventh of the memory, and half a second."""
    sys.modules["pyarrow"] = None  # type: ignore[assignment]


def _load_application() -> _App:
    from mlflow.server import handlers

    from jupyter_mlws.tracking import chosen_ids

    # Before the application, which makes its store as it is imported.
    chosen_ids.register(handlers._tracking_store_registry, "sqlite")
    from mlflow.server.fastapi_app import app

    # At the first request otherwise, and a broken database would show only there.
    handlers.initialize_backend_stores(_URI, _URI, os.environ["_MLFLOW_SERVER_ARTIFACT_ROOT"])
    application: _App = app
    return application


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


def _serve(listening: Listening, *, token: str, idle: float) -> None:
    import uvicorn

    folder = Path.cwd()
    shutil.rmtree(folder / "tmp", ignore_errors=True)
    for name in ("tmp", "artifacts"):
        Path(name).mkdir(exist_ok=True)
    prepare_environment(os.environ, folder=folder)
    _leave_out_arrow()
    prepare_database(Path(_DATABASE))
    application = _load_application()
    analyze(Path(_DATABASE))
    threading.Thread(
        target=_analyze_for_ever, args=[Path(_DATABASE)], kwargs={"renew": _renew_connections}, daemon=True
    ).start()
    door = Idle(Door(application, token=token))
    end = IdleEnd(door, listening, after=idle, unshipped=Path("unshipped"))
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
        _serve(listening, token=token, idle=options.idle)
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
