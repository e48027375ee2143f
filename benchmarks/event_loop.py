"""How long the Jupyter server's event loop is held while 50 jobs run at the same time.

Each job prints five lines a second and logs a metric with each; somebody looks on, as a browser does: five
cards follow their jobs, and the list of jobs is asked for every second. The loop is watched in the server
(`probes/loop_probe.py`) while the jobs start, while all of them run, and while they end. On few cores the
system gives the CPUs to the jobs, too: what the loop was late for want of a CPU is told apart.
`python benchmarks/event_loop.py [--jobs N] [--seconds N]`; `--write` puts the table into README.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpx
from goals import record
from report import arguments, machine, parsed

import jupyter_mlws as mlws
from jupyter_mlws.client.async_job import AsyncJob
from jupyter_mlws.client.async_workspace import AsyncWorkspace
from jupyter_mlws.model.status import JobStatus
from tests.fixtures.place import Place, a_place
from tests.fixtures.servers import RunningServer, launch

PHASES = {
    "idle": "nothing runs",
    "starting": "all jobs are submitted at once, and start",
    "running": "**all of them run**",
    "ending": "all of them end",
}
FOLLOWED = 5
_PROBES = Path(__file__).resolve().parent / "probes"
_CODE = """\
import os, time, mlflow
step = 0
while not os.path.exists({stop!r}):
    print("line", step, flush=True)
    mlflow.log_metric("loss", 1 / (step + 1), step=step)
    step += 1
    time.sleep(0.2)
"""

Seen = dict[str, Any]


def serve(place: Place, *, jobs: int) -> RunningServer:
    """Start a server with our extension and the probe, and room for all jobs at once."""
    path = os.pathsep.join(filter(None, (str(_PROBES), os.environ.get("PYTHONPATH"))))
    arguments = ["--ServerApp.jpserver_extensions=loop_probe=True", f"--MlwsApp.cpus={jobs}"]
    return launch(place, arguments=arguments, environment={"PYTHONPATH": path}, sparing=False)


async def measure(server: RunningServer, *, jobs: int, seconds: float) -> dict[str, Seen]:
    """Return what the probe saw, by phase. Raises `RuntimeError` when a job did not run or not end well."""
    stop = server.place.root / "stop"
    seen: dict[str, Seen] = {}
    async with (
        httpx.AsyncClient(base_url=server.url, headers=server.headers, trust_env=False, timeout=60) as http,
        await mlws.aconnect(url=server.url, token=server.token) as workspace,
    ):

        async def look() -> Seen:
            answer = await http.get("loop_probe")
            answer.raise_for_status()
            found: Seen = answer.json()
            return found

        async def count(status: str) -> int:
            return (await workspace.status()).jobs.get(status, 0)

        # What is imported and opened once is no part of it.
        first = await workspace.jobs.submit_cell("print(1 + 1)", namespace={})
        await first.wait(120)
        await asyncio.sleep(5)
        await look()
        await asyncio.sleep(min(10.0, seconds))
        seen["idle"] = await look()
        listing = asyncio.create_task(_list(workspace))
        code = _CODE.format(stop=str(stop))
        submitted = await asyncio.gather(
            *(workspace.jobs.submit_cell(code, namespace={}) for _ in range(jobs))
        )
        following = [asyncio.create_task(_follow(job)) for job in submitted[:FOLLOWED]]
        await _until(lambda: _is(count("Running"), jobs), seconds=60 + 5 * jobs)
        seen["starting"] = await look()
        await asyncio.sleep(seconds)
        if (running := await count("Running")) != jobs:
            raise RuntimeError(f"of {jobs} jobs {running} still ran")
        seen["running"] = await look()
        stop.touch()
        await _until(lambda: _is(count("Completed"), jobs + 1), seconds=60 + 5 * jobs)
        seen["ending"] = await look()
        listing.cancel()
        await asyncio.gather(*following)
        with contextlib.suppress(asyncio.CancelledError):
            await listing
    return seen


async def _list(workspace: AsyncWorkspace) -> None:
    while True:
        await workspace.jobs.list(limit=50)
        await asyncio.sleep(1)


async def _follow(job: AsyncJob) -> None:
    async for _ in job.event_pages():
        pass
    if (status := (await job.wait(60)).status) is not JobStatus.COMPLETED:
        raise RuntimeError(f"a job ended {status}: {job.record.error}")


async def _is(asked: Awaitable[int], number: int) -> bool:
    return await asked == number


async def _until(reached: Callable[[], Awaitable[bool]], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not await reached():
        if time.monotonic() > deadline:
            raise TimeoutError(f"it did not come within {seconds:.0f} s")
        await asyncio.sleep(0.5)


def table(seen: dict[str, Seen]) -> str:
    """Return the worst of each phase as a Markdown table, in milliseconds."""
    lines = [
        "| while | s | callbacks | held more than 50 ms | longest hold, ms | its thread on a CPU "
        "| ready, without a CPU | asleep: GIL, lock, disk | longest hold, waiting for a CPU aside, ms |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for phase, described in PHASES.items():
        each = seen[phase]
        late = each["worst_late"][0]
        parts = [late["late"], late["on_cpu"], late["without_cpu"]]
        parts += [max(0.0, parts[0] - parts[1] - parts[2]), own(each)]
        cells = [described, f"{each['seconds']:.0f}", f"{each['beats']:,}", f"{each['over']:,} ×"]
        cells += [f"{1000 * part:.0f}" for part in parts]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def own(seen: Seen) -> float:
    """Return the longest hold of a phase in seconds, without what the loop waited for a CPU."""
    worst = seen["worst_own"][0]
    return max(0.0, float(worst["late"] - worst["without_cpu"]))


def culprits(seen: dict[str, Seen]) -> str:
    """Where the loop's thread was in the worst holds, in words for whoever mends it."""
    lines: list[str] = []
    for phase, each in seen.items():
        for hold in each["worst_own"][:3]:
            parts = {
                "on a CPU": hold["on_cpu"],
                "without": hold["without_cpu"],
                "collecting garbage": hold["collecting"],
            }
            shown = ", ".join(f"{1000 * seconds:.0f} {what}" for what, seconds in parts.items())
            stacks = hold["stacks"]
            lines.append(f"--- {phase}: held {1000 * hold['late']:.0f} ms, {shown}; seen {len(stacks)} times")
            lines += stacks[:1]
    return "\n".join(lines)


def main() -> None:
    """Run from the command line."""
    parser = arguments(__doc__, quick="10 jobs for 5 seconds")
    parser.add_argument("--jobs", type=int, default=50, help="that run at the same time (default 50)")
    parser.add_argument("--seconds", type=float, default=30, help="that all of them run (default 30)")
    options = parsed(parser, name="event_loop", fixed=["jobs"])
    jobs, seconds = (10, 5.0) if options.quick else (options.jobs, options.seconds)
    where = machine()
    with a_place() as place:
        os.environ.update(place.environment)
        server = serve(place, jobs=jobs)
        try:
            seen = asyncio.run(measure(server, jobs=jobs, seconds=seconds))
        finally:
            server.stop()
    knows = "" if seen["running"]["knows_cpu"] else " The system does not tell who waits for a CPU."
    text = f"{table(seen)}\n\n{where}. {jobs} jobs.{knows}"
    print(text)
    print(culprits(seen), file=sys.stderr)
    if options.write:
        loaded = [seen[phase] for phase in ("running", "ending")]
        figures = {
            "loop_own_ms": 1000 * max(own(each) for each in loaded),
            "loop_held_ms": 1000 * max(each["worst_late"][0]["late"] for each in loaded),
        }
        record("event_loop", text, figures, where=where)


if __name__ == "__main__":
    main()
