"""The main job in a terminal: a notebook, and code with its variables, go away as jobs and come back.

`make demo` runs this. It uses the current workspace, so `make lab` shows the same jobs afterwards.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

import jupyter_mlws as mlws
from jupyter_mlws.client import wording
from jupyter_mlws.client.async_job import AsyncJob
from jupyter_mlws.client.async_workspace import AsyncWorkspace
from jupyter_mlws.client.options import JobOptions
from jupyter_mlws.model.events import LogEvent, Output
from jupyter_mlws.model.status import JobStatus

HERE = Path(__file__).resolve().parent
CODE = """\
rates = {}
for contract, group in customers.groupby("Contract"):
    low, high = interval(group["left"].to_numpy(), resamples)
    rates[contract] = {"customers": len(group), "left": group["left"].mean(), "from": low, "to": high}
    print(f"{contract}: {group['left'].mean():.1%} left, 95 % interval {low:.1%} to {high:.1%}")
rates = pd.DataFrame(rates).T
"""
STYLES = {
    JobStatus.RUNNING: "bold cyan",
    JobStatus.FINALIZING: "cyan",
    JobStatus.COMPLETED: "bold green",
    JobStatus.FAILED: "bold red",
}
LINES = 8


def interval(left: np.ndarray, resamples: int) -> tuple[float, float]:
    """The 95 % bootstrap interval of a share. The job gets this function by value."""
    random = np.random.default_rng(7)
    shares = [random.choice(left, size=len(left)).mean() for _ in range(resamples)]
    return float(np.quantile(shares, 0.025)), float(np.quantile(shares, 0.975))


class View:
    """What is seen of one job: its state and the last lines that it printed."""

    def __init__(self, job: AsyncJob, console: Console) -> None:
        self.job = job
        self.lines: list[str] = []
        self._console = console
        self._unfinished = ""
        self._said: JobStatus | None = None

    async def follow(self) -> None:
        """Take in the job's events until it has ended."""
        async for page in self.job.event_pages():
            for event in page:
                self._take(event)
            await self.job.refresh()
            self._say_status()
        await self.job.wait()
        self._say_status()

    def _take(self, event: LogEvent) -> None:
        if not isinstance(event, Output) or event.output.get("output_type") != "stream":
            return
        *whole, self._unfinished = (self._unfinished + str(event.output["text"])).split("\n")
        self.lines += whole
        for line in whole:
            self._print(line)

    def _say_status(self) -> None:
        if self.job.status is not self._said:
            self._said = self.job.status
            self._print(wording.state(self.job.status))

    def _print(self, line: str) -> None:
        """Without a terminal nothing can be drawn over: lines follow each other."""
        if not self._console.is_terminal:
            self._console.print(Text(f"{self.job.name} │ {line}"), soft_wrap=True)

    def __rich__(self) -> Group:
        record = self.job.record
        ended = record.ended_at.timestamp() if record.ended_at else time.time()
        elapsed = wording.duration(ended - record.created_at.timestamp())
        parts = [
            Text.assemble(
                (f"{wording.state(record.status):<13}", STYLES.get(record.status, "dim")),
                (self.job.name, "bold"),
                f"   {elapsed}   {wording.money(record.cost)}",
            )
        ]
        if record.spec.inputs:
            sent = [f"{item.name} {wording.size(item.size)}" for item in record.spec.inputs.items]
            parts.append(Text(f"  sent {', '.join(sent)}", style="dim"))
        if record.metrics:
            known = {name: value for name, value in record.metrics.items() if value is not None}
            shown = [f"{name} {value:.3f}" for name, value in sorted(known.items())]
            parts.append(Text("  " + "  ".join(shown), style="cyan"))
        parts += [Text(f"  {line}") for line in self.lines[-LINES:]]
        for part in parts:
            part.no_wrap, part.overflow = True, "ellipsis"
        return Group(*parts, Text())


async def submit(workspace: AsyncWorkspace) -> tuple[AsyncJob, AsyncJob]:
    """Submit the notebook, and the code with the variables that it reads."""
    notebook = await workspace.jobs.submit(HERE / "churn.ipynb", name="train churn", experiment="churn")
    customers = pd.read_csv(HERE / "data" / "telco_churn.csv")
    customers["left"] = customers["Churn"] == "Yes"
    cell = await workspace.jobs.submit_cell(
        CODE,
        options=JobOptions(name="churn by contract", experiment="churn"),
        namespace={"customers": customers, "interval": interval, "resamples": 4000, "pd": pd},
    )
    return notebook, cell


async def watch(views: list[View], console: Console) -> None:
    """Show the jobs until all have ended."""
    following = asyncio.gather(*(view.follow() for view in views))
    if not console.is_terminal:
        await following
        return
    with Live(Group(*views), console=console, refresh_per_second=8):
        await following


async def tell(workspace: AsyncWorkspace, notebook: AsyncJob, cell: AsyncJob, console: Console) -> None:
    """Print what came back."""
    table = Table(title="train churn: metrics of its MLflow run", title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, value in sorted(notebook.record.metrics.items()):
        table.add_row(name, "NaN" if value is None else f"{value:.3f}")
    console.print(table)
    rates = await cell.result("rates")
    console.print("churn by contract: the table `rates`, brought back by job.result('rates')", style="bold")
    console.print(rates.round(3).to_string())
    tracking = await workspace.mlflow()
    console.print()
    console.print("Where it is now", style="bold")
    for job in (notebook, cell):
        where = f"MLflow run {job.record.run_id} in the experiment 'churn'"
        console.print(f"  {job.name}: job {job.id}, {where}", soft_wrap=True)
    console.print(f"  workspace  {workspace.path}", soft_wrap=True)
    if tracking.url:
        console.print(
            f"  MLflow for its own clients  {tracking.url} (its pages: in JupyterLab, behind its login)",
            soft_wrap=True,
        )
    console.print()
    console.print("Open it in a browser: [bold]make lab[/bold]   (jobs are in the left side bar)")


async def main() -> int:
    """Run the demo; return the exit code."""
    console = Console()
    os.chdir(HERE)
    async with await mlws.aconnect() as workspace:
        console.print(f"Workspace [bold]{workspace.name}[/bold] ({workspace.path})", soft_wrap=True)
        notebook, cell = await submit(workspace)
        await watch([View(notebook, console), View(cell, console)], console)
        for job in (notebook, cell):
            if job.status is not JobStatus.COMPLETED:
                error = job.record.error
                console.print(
                    f"{job.name} ended {job.status}: {error.message if error else 'no reason given'}"
                )
                console.print(f"Its log: jupyter mlws job logs {job.id}")
                return 1
        await tell(workspace, notebook, cell, console)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main()))
    except KeyboardInterrupt:
        print("\nThe jobs go on without this window; `jupyter mlws job list` shows them.")
        sys.exit(130)
