"""The goals, each with the script that measures it; and how the last figures stand beside them.

`python benchmarks/goals.py` writes the summary at the top of README.md anew from results.json; so does every
benchmark with `--write`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import results
from report import put_between


@dataclass(frozen=True)
class Goal:
    """A limit for one figure."""

    figure: str
    """Its name in results.json."""
    what: str
    limit: float
    script: str
    at_least: bool = False
    """Whether more is better; else less is."""
    form: str = ".0f"
    unit: str = ""

    def reached(self, value: float) -> bool:
        """Return whether `value` is on the right side of the limit, or on it."""
        return value >= self.limit if self.at_least else value <= self.limit

    @property
    def wanted(self) -> str:
        """The limit in words."""
        if self.limit == 0:
            return "none"
        return f"{'≥' if self.at_least else '≤'} {self.limit:.3g}{self.unit}"


_MAGIC = "`%%mlws submit` to the first output that the client sees, kernel warm, back to back"
GOALS = (
    Goal("first_output_ms", f"{_MAGIC}: a trivial cell", 60, "jobs.py", unit=" ms"),
    Goal(
        "first_output_ratio",
        "the same beside a cold kernel of jupyter_client",
        8,
        "jobs.py",
        at_least=True,
        form=".1f",
        unit=" ×",
    ),
    Goal("first_output_table_ms", "the same with a captured table of 10 MB", 100, "jobs.py", unit=" ms"),
    Goal(
        "notebook_papermill_ratio",
        "five-cell scikit-learn notebook, all recorded, beside the papermill command line",
        10,
        "jobs.py",
        at_least=True,
        form=".1f",
        unit=" ×",
    ),
    Goal(
        "notebook_scheduler_ratio",
        "the same beside jupyter-scheduler",
        12,
        "jobs.py",
        at_least=True,
        form=".1f",
        unit=" ×",
    ),
    Goal(
        "burst_rate",
        "isolated trivial jobs a second, 200 queued at once",
        10,
        "jobs.py",
        at_least=True,
        form=".1f",
    ),
    Goal("burst_lost", "of these, lost or without their output", 0, "jobs.py"),
    Goal(
        "kernel_ratio",
        "memory (USS) of a warm kernel that waits, its keeper included, beside a cold one",
        1 / 3,
        "idle.py",
        form=".2f",
        unit=" ×",
    ),
    Goal(
        "log_metric_ms", "a call of `mlflow.log_metric` in a job", 0.1, "tracking.py", form=".3f", unit=" ms"
    ),
    Goal(
        "log_metric_ratio",
        "the same beside MLflow's REST",
        50,
        "tracking.py",
        at_least=True,
        unit=" ×",
    ),
    Goal(
        "killed_lost",
        "of 1,000 metrics, lost where worker and kernel are killed with -9 a second later",
        0,
        "tracking.py",
    ),
    Goal(
        "remote_warm_s",
        "a cell on another Jupyter server to its first output, kernel warm",
        0.15,
        "remote.py",
        form=".3f",
        unit=" s",
    ),
    Goal("remote_cold_s", "the same, kernel cold", 1, "remote.py", form=".3f", unit=" s"),
    Goal("load_ext_ms", "`%load_ext jupyter_mlws`", 100, "startup.py", unit=" ms"),
    Goal("server_start_ms", "what the extension adds to the server's start", 300, "startup.py", unit=" ms"),
    Goal(
        "list_page_ms",
        "list of 100,000 jobs by REST: median of the slowest page of all filters and orders",
        50,
        "lists.py",
        form=".1f",
        unit=" ms",
    ),
    Goal(
        "loop_own_ms",
        "longest hold of the server's event loop while 50 jobs run, and end; waiting for a CPU aside",
        50,
        "event_loop.py",
        unit=" ms",
    ),
    Goal("loop_held_ms", "the same, waiting for a CPU included", 50, "event_loop.py", unit=" ms"),
    Goal("mlflow_mb", "MLflow's server in all (PSS)", 300, "idle.py", unit=" MB"),
    Goal("processes_at_start", "processes besides the Jupyter server's, after its start", 0, "idle.py"),
    Goal("processes_idle", "the same once nothing has run for the idle time", 0, "idle.py"),
    Goal(
        "growth_memory_kb",
        "memory (USS) of the Jupyter server that each further job leaves, second half of 5,000 jobs",
        1,
        "idle.py",
        form=".2f",
        unit=" kB",
    ),
    Goal(
        "growth_descriptors",
        "descriptors of the Jupyter server, more after 5,000 jobs than after 500",
        3,
        "idle.py",
    ),
    Goal(
        "growth_files",
        "files and folders besides the jobs' own and their runs', more after 5,000 jobs than after 500",
        10,
        "idle.py",
    ),
)


def summary(figures: Mapping[str, results.Figure]) -> str:
    """Return the goals and the figures as a Markdown table, in words where a figure is missing."""
    lines = ["| | goal | measured | reached | by | on |", "|---|---:|---:|:---:|---|---|"]
    places: list[str] = []
    for goal in GOALS:
        by = f"`{goal.script}`"
        figure = figures.get(goal.figure)
        if figure is None:
            lines.append(f"| {goal.what} | {goal.wanted} | not measured | | {by} | |")
            continue
        if figure.where not in places:
            places.append(figure.where)
        yes = "yes" if goal.reached(figure.value) else "**no**"
        value = f"{figure.value:{goal.form}}{goal.unit}"
        lines.append(
            f"| {goal.what} | {goal.wanted} | {value} | {yes} | {by} | {places.index(figure.where) + 1} |"
        )
    notes = [f"{number}. {where}" for number, where in enumerate(places, 1)]
    return "\n".join([*lines, *(["", *notes] if notes else [])])


def record(name: str, text: str, figures: Mapping[str, float], *, where: str) -> None:
    """Put a benchmark's `text` between its marks in README.md, keep its figures, and write the summary anew.

    `name` is that of the marks. Raises `LookupError` when a figure is no goal's, or the marks are missing.
    """
    if unknown := set(figures) - {goal.figure for goal in GOALS}:
        raise LookupError(f"No goal speaks of {', '.join(sorted(unknown))}.")
    put_between(name, text)
    results.keep(figures, where=where)
    put_between("goals", summary(results.kept()))


if __name__ == "__main__":
    put_between("goals", summary(results.kept()))
