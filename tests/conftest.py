"""Fixtures that every suite shares: a place of its own for each test, real servers, and waiting.

Everything that a test starts inherits `MLWS_TEST_PLACE`; at the end of the test whatever still carries it,
such as detached workers, kernels and MLflow's server, is ended, and the place removed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import httpx
import psutil
import pytest

MARK = "MLWS_TEST_PLACE"
IN_CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")
REPOSITORY = Path(__file__).resolve().parent.parent

# Wheels are found where they were put when the project was installed; everything else is the test's own.
UV_CACHE = os.environ.get("UV_CACHE_DIR") or str(
    Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "uv"
)

T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """A short-named folder that stands for a user's machine: home, Jupyter's folders, sockets, workspace."""

    root: Path

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def data(self) -> Path:
        """JUPYTER_DATA_DIR."""
        return self.root / "data"

    @property
    def jupyter_runtime(self) -> Path:
        """JUPYTER_RUNTIME_DIR."""
        return self.root / "jrun"

    @property
    def runtime(self) -> Path:
        """XDG_RUNTIME_DIR: short, since a socket's path holds 108 bytes."""
        return self.root / "run"

    @property
    def temporary(self) -> Path:
        """TMPDIR: what a killed process leaves there goes with the place."""
        return self.root / "t"

    @property
    def workspace(self) -> Path:
        """MLWS_WORKSPACE; made by whoever opens it first."""
        return self.root / "ws"

    @property
    def folder(self) -> Path:
        """Where notebooks lie: the root directory of a server."""
        return self.root / "nb"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that make a process live here."""
        return {
            MARK: str(self.root),
            "HOME": str(self.home),
            "IPYTHONDIR": str(self.root / "ipython"),
            "JUPYTER_CONFIG_DIR": str(self.root / "config"),
            "JUPYTER_DATA_DIR": str(self.data),
            "JUPYTER_RUNTIME_DIR": str(self.jupyter_runtime),
            "JUPYTERLAB_SETTINGS_DIR": str(self.root / "lab" / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(self.root / "lab" / "workspaces"),
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLWS_WORKSPACE": str(self.workspace),
            "MPLCONFIGDIR": str(self.root / "mpl"),
            "TMPDIR": str(self.temporary),
            "UV_CACHE_DIR": UV_CACHE,
            "XDG_CACHE_HOME": str(self.root / "cache"),
            "XDG_CONFIG_HOME": str(self.root / "xdgconfig"),
            "XDG_DATA_HOME": str(self.root / "share"),
            "XDG_RUNTIME_DIR": str(self.runtime),
        }

    def environ(self) -> dict[str, str]:
        """This process's environment, moved here; for `subprocess`."""
        kept = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
        return {**kept, **self.environment}


_NOT_INHERITED = frozenset(
    {
        "JPY_API_TOKEN",
        "JPY_PARENT_PID",
        "JPY_SESSION_NAME",
        "JUPYTER_TOKEN",
        "JUPYTER_PATH",
        "JUPYTER_CONFIG_PATH",
        "MLFLOW_EXPERIMENT_ID",
        "MLFLOW_EXPERIMENT_NAME",
        "MLFLOW_RUN_ID",
        "MLFLOW_TRACKING_TOKEN",
        "MLFLOW_TRACKING_URI",
        "MLWS_RUNTIME_FILE",
        "MLWS_SERVER_URL",
        "MLWS_TOKEN",
        "PYTHONDONTWRITEBYTECODE",
    }
)


@contextlib.contextmanager
def a_place() -> Iterator[Place]:
    # /tmp and not pytest's tmp_path: on macOS, and under long test names, that is too long for a socket.
    place = Place(Path(tempfile.mkdtemp(prefix="mlws", dir="/tmp")).resolve())
    for folder in (
        place.home,
        place.data,
        place.jupyter_runtime,
        place.runtime,
        place.temporary,
        place.folder,
    ):
        folder.mkdir(parents=True, mode=0o700)
    try:
        yield place
    finally:
        end_marked(place.root)
        _writable(place.root)
        shutil.rmtree(place.root, ignore_errors=True)


def _writable(root: Path) -> None:
    """Let a read-only folder that a test made be removed."""
    for folder, _, _ in os.walk(root):
        with contextlib.suppress(OSError):
            Path(folder).chmod(0o700)


def marked(root: Path) -> list[psutil.Process]:
    """The processes that were started in the place at `root`, this one excluded."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and process.environ().get(MARK) == str(root):
                found.append(process)
    return found


def end_marked(root: Path) -> None:
    """End whatever still runs in the place at `root`, children that it starts meanwhile included."""
    for _ in range(20):
        processes = marked(root)
        if not processes:
            return
        for process in processes:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(processes, timeout=5)


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """The test's own machine, as far as it can see: this process's environment points into it."""
    with a_place() as made:
        for name in _NOT_INHERITED:
            monkeypatch.delenv(name, raising=False)
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made


def free_port_number() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now."""
    return free_port_number()


class WaitFor(Protocol):
    def __call__(self, condition: Callable[[], T], timeout: float = 60, *, what: str = "") -> T: ...


class WaitUntil(Protocol):
    async def __call__(
        self, condition: Callable[[], T | Awaitable[T]], timeout: float = 60, *, what: str = ""
    ) -> T: ...


def _wait_for(condition: Callable[[], T], timeout: float = 60, *, what: str = "") -> T:
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(
                f"{what or 'the condition'} did not come within {timeout} s; last: {value!r}"
            )
        time.sleep(0.02)
    return value


async def _wait_until(
    condition: Callable[[], Any | Awaitable[Any]], timeout: float = 60, *, what: str = ""
) -> Any:
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if isinstance(value, Awaitable):
            value = await value
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(
                f"{what or 'the condition'} did not come within {timeout} s; last: {value!r}"
            )
        await asyncio.sleep(0.02)


@pytest.fixture(scope="session")
def wait_for() -> WaitFor:
    """`wait_for(condition, timeout)`: poll until `condition()` is true and return its value, or fail."""
    return _wait_for


@pytest.fixture(scope="session")
def wait_until() -> WaitUntil:
    """`await wait_until(condition, timeout)`: the same for a coroutine; `condition` may be async."""
    return _wait_until


@dataclass
class RunningServer:
    """A Jupyter server of its own process, with the extension enabled."""

    url: str
    """With base_url and a slash at the end."""
    token: str
    place: Place
    process: subprocess.Popen[bytes]
    log: Path
    arguments: list[str] = field(default_factory=list)

    @property
    def workspace(self) -> Path:
        return self.place.workspace

    @property
    def api(self) -> str:
        """Address of our REST, without a slash at the end."""
        return f"{self.url}mlws/api/v1"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"token {self.token}"}

    def client(self, **options: Any) -> httpx.Client:
        """An HTTP client for `api`, logged in."""
        options.setdefault("timeout", 60)
        return httpx.Client(base_url=self.api, headers=self.headers, **options)

    def kill(self) -> None:
        """kill -9 of the server alone; what it started lives on."""
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> None:
        """End the server as Ctrl-C would, then by force."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()


def launch(
    place: Place,
    *,
    command: str = "server",
    base_url: str = "/",
    port: int | None = None,
    arguments: list[str] | None = None,
    environment: dict[str, str] | None = None,
    sparing: bool = True,
) -> RunningServer:
    """Start `jupyter server` (or `lab`) in `place` and wait until our extension answers.

    Each place has fork servers of its own: `sparing` ones preload next to nothing.
    """
    port = port or free_port_number()
    token = "t" + os.urandom(12).hex()
    arguments = arguments or []
    log = place.root / f"{command}-{port}.log"
    line = [
        sys.executable,
        "-m",
        f"jupyter{'lab' if command == 'lab' else '_server'}",
        "--no-browser",
        "--allow-root",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.base_url={base_url}",
        f"--IdentityProvider.token={token}",
        f"--ServerApp.root_dir={place.folder}",
        "--ServerApp.jpserver_extensions=jupyter_mlws=True",
        *(("--MlwsApp.preload=json", "--MlwsApp.spares=1") if sparing else ()),
        *arguments,
    ]
    with log.open("wb") as sink:
        process = subprocess.Popen(
            line,
            cwd=place.folder,
            env={**place.environ(), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    prefix = base_url.strip("/")
    url = f"http://127.0.0.1:{port}/{prefix + '/' if prefix else ''}"
    server = RunningServer(url, token, place, process, log, arguments)
    _wait_for(lambda: _answers(server), 60, what=f"the server's answer (log {log})")
    return server


def _answers(server: RunningServer) -> bool:
    if server.process.poll() is not None:
        raise AssertionError(
            f"the server ended with {server.process.returncode}:\n{server.log.read_text()[-4000:]}"
        )
    try:
        return httpx.get(f"{server.api}/status", headers=server.headers, timeout=30).status_code == 200
    except httpx.TransportError:
        return False


class StartServer(Protocol):
    def __call__(
        self,
        *,
        command: str = "server",
        base_url: str = "/",
        port: int | None = None,
        arguments: list[str] | None = None,
        environment: dict[str, str] | None = None,
    ) -> RunningServer: ...


@pytest.fixture
def start_server(place: Place) -> Iterator[StartServer]:
    """`start_server(command="lab", base_url="/x/", arguments=[...])`: servers in the test's own place."""
    started: list[RunningServer] = []

    def start(
        *,
        command: str = "server",
        base_url: str = "/",
        port: int | None = None,
        arguments: list[str] | None = None,
        environment: dict[str, str] | None = None,
    ) -> RunningServer:
        server = launch(
            place,
            command=command,
            base_url=base_url,
            port=port,
            arguments=arguments,
            environment=environment,
        )
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="module")
def jupyter_server() -> Iterator[RunningServer]:
    """One real Jupyter server for the tests of a module, in a place of its own."""
    with a_place() as made:
        server = launch(made)
        yield server
        server.stop()


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium. Where there is none the test is skipped; in CI it fails."""
    known = (
        os.environ.get("CHROMIUM"),
        shutil.which("chromium"),
        shutil.which("chromium-browser"),
        shutil.which("google-chrome"),
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
    )
    for path in known:
        if path and Path(path).exists():
            return path
    pytest.skip("there is no Chromium; `make test` installs it where it can, or set CHROMIUM to its path")


def pytest_configure() -> None:
    """Let Ctrl-C be heard: under a shell in the background it is ignored, by all that the tests start too."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """In CI a browser test that is skipped has failed."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if IN_CI and report.skipped and not hasattr(report, "wasxfail") and "chromium" in _needs(item):
        report.outcome = "failed"
        report.longrepr = f"a browser test was skipped in CI: {report.longrepr}"


def _needs(item: pytest.Item) -> list[str]:
    return list(getattr(item, "fixturenames", []))
