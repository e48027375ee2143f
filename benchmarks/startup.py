"""What it costs to have us: `%load_ext jupyter_mlws` in a notebook, and the extension at a server's start.

Each measurement is a process of its own with bytecode compiled; a server has a home of its own, empty but for
what the start makes. With the extension and without, in turn: from the start of the process until it answers
`/api/status`. Besides, what importing the extension takes in a process that has imported Jupyter Server.
`python benchmarks/startup.py [--rounds N]`; `--write` puts the table into README.md.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpx
from goals import record
from report import arguments, machine, parsed

from tests.fixtures.place import Place, a_place
from tests.fixtures.servers import free_port_number

DESCRIBED = {
    "load_ext": "`%load_ext jupyter_mlws`, the magic alone, in a new IPython",
    "without": "`jupyter server` until it answers `/api/status`, extension disabled",
    "with": "the same, extension enabled",
    "ours": "the same until the extension answers `/mlws/api/v1/status`: the workspace is open",
    "import": "of that, importing the extension",
}
_LOAD_EXT = """
import time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
began = time.perf_counter()
shell.run_line_magic("load_ext", "jupyter_mlws")
print(time.perf_counter() - began)
"""
_IMPORT = """
import time
import jupyter_server.serverapp
began = time.perf_counter()
import jupyter_mlws.server.extension
print(time.perf_counter() - began)
"""
_PATIENCE = 60.0


def told_by(code: str) -> float:
    """Return the seconds that a new Python prints, in a home of its own."""
    with a_place() as place:
        done = subprocess.run(
            [sys.executable, "-c", code], env=place.environ(), capture_output=True, text=True, check=True
        )
    return float(done.stdout.splitlines()[-1])


def started(*, enabled: bool) -> tuple[float, float]:
    """Start a server; return the seconds until it answers, and until our extension does (0 without it)."""
    with a_place() as place:
        port, token = free_port_number(), os.urandom(12).hex()
        began = time.perf_counter()
        process = _serve(place, port=port, token=token, enabled=enabled)
        try:
            url, headers = f"http://127.0.0.1:{port}", {"Authorization": f"token {token}"}
            with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=30) as client:
                server = _until(client, "/api/status", process, began)
                ours = _until(client, "/mlws/api/v1/status", process, began) if enabled else 0.0
                if not enabled and client.get("/mlws/api/v1/status").status_code != 404:
                    raise RuntimeError("the extension answers, though it is disabled")
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
    return server, ours


def _serve(place: Place, *, port: int, token: str, enabled: bool) -> subprocess.Popen[bytes]:
    with (place.root / "log").open("wb") as sink:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root"),
                *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
                *(f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={place.folder}"),
                f"--ServerApp.jpserver_extensions=jupyter_mlws={enabled}",
            ],
            cwd=place.folder,
            env=place.environ(),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _until(client: httpx.Client, path: str, process: subprocess.Popen[bytes], began: float) -> float:
    while time.perf_counter() - began < _PATIENCE:
        with contextlib.suppress(httpx.TransportError):
            if client.get(path).status_code == 200:
                return time.perf_counter() - began
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        time.sleep(0.005)
    raise TimeoutError(f"{path} did not answer within {_PATIENCE:.0f} s")


def measure(*, rounds: int) -> dict[str, list[float]]:
    """Measure everything `rounds` times after one round that does not count, in turn."""
    seconds: dict[str, list[float]] = {what: [] for what in DESCRIBED}
    for number in range(rounds + 1):
        taken = {"load_ext": told_by(_LOAD_EXT), "import": told_by(_IMPORT)}
        # Another begins each time: what the first one read from the disk is there for the second.
        for enabled in (True, False) if number % 2 else (False, True):
            server, ours = started(enabled=enabled)
            taken |= {"with": server, "ours": ours} if enabled else {"without": server}
        if number:
            for what, each in taken.items():
                seconds[what].append(each)
        print(f"round {number} of {rounds}", file=sys.stderr)
    return seconds


def main() -> None:
    """Run from the command line."""
    parser = arguments(__doc__, quick="2 rounds")
    parser.add_argument("--rounds", type=int, default=15, help="that count (default 15)")
    options = parsed(parser, name="startup")
    rounds = 2 if options.quick else options.rounds
    where = machine()
    seconds = measure(rounds=rounds)
    lines = ["| | ms, median | least | most |", "|---|---:|---:|---:|"]
    for what, described in DESCRIBED.items():
        shown = (statistics.median(seconds[what]), min(seconds[what]), max(seconds[what]))
        lines.append(f"| {described} | {' | '.join(f'{1000 * each:.0f}' for each in shown)} |")
    added = 1000 * (statistics.median(seconds["with"]) - statistics.median(seconds["without"]))
    lines.append(f"| **what the extension adds to the server's start**, of the medians | {added:.0f} | | |")
    text = "\n".join([*lines, "", f"{where}. {rounds} interleaved rounds."])
    print(text)
    if options.write:
        load_ext = 1000 * statistics.median(seconds["load_ext"])
        record("startup", text, {"load_ext_ms": load_ext, "server_start_ms": added}, where=where)


if __name__ == "__main__":
    main()
