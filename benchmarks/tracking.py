"""What logging costs a job: through its folder, as jobs do, beside MLflow's REST; and what ANALYZE gives.

In one run on one machine: a job of ours calls `mlflow.log_metric`, and a process that it starts, which has
the plain MLflow client, does the same over REST. Besides, jobs log 1,000 metrics, and a second later their
worker and their kernel are killed with -9: what is lost then? `python benchmarks/tracking.py [--calls N]
[--runs N]`; `--write` puts the tables into README.md.
"""

from __future__ import annotations

import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from goals import record
from peer import OURS, Peer
from report import arguments, machine, parsed

KILLED = 1000
"""Metrics that a job logs before it is killed."""


def fill(database: Path, *, runs: int) -> None:
    """Put `runs` runs with 5 metrics and 5 parameters each into MLflow's database."""
    with sqlite3.connect(database) as connection:
        for number in range(runs):
            run = f"{number:032x}"
            connection.execute(
                "INSERT INTO runs (run_uuid, name, user_id, source_type, status, start_time, "
                "lifecycle_stage, experiment_id, artifact_uri) "
                "VALUES (?, 'n', 'u', 'LOCAL', 'FINISHED', ?, 'active', 0, '')",
                (run, number),
            )
            connection.executemany(
                "INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid) "
                "VALUES (?, ?, 0, 0, 0, ?)",
                [(f"m{each}", (number * 7919 + each) % 10007, run) for each in range(5)],
            )
            connection.executemany(
                "INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)",
                [(f"p{each}", str(number % 10), run) for each in range(5)],
            )


def search(database: Path) -> float:
    """Return the seconds of the top 100 runs by a metric, filtered by a parameter, in a new process."""
    code = (
        "import sys, time\n"
        "from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore\n"
        "store = SqlAlchemyStore(f'sqlite:///{sys.argv[1]}', '/nowhere')\n"
        "began = time.perf_counter()\n"
        "found = store.search_runs(['0'], \"params.p1 = '3'\", 1, 100, ['metrics.m1 DESC'])\n"
        "assert len(found) == 100\n"
        "print(time.perf_counter() - began)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(database)], capture_output=True, text=True, check=True
    )
    return float(done.stdout.splitlines()[-1])


def searched(folder: Path, *, runs: int, rounds: int) -> tuple[float, float, float]:
    """Return the medians of `search` before and after ANALYZE, and the seconds of ANALYZE itself."""
    from jupyter_mlws.tracking.mlflow_database import analyze

    database = folder / "mlflow.db"
    make = (
        "import sys; from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore; "
        "SqlAlchemyStore(f'sqlite:///{sys.argv[1]}', '/nowhere')"
    )
    subprocess.run([sys.executable, "-c", make, str(database)], capture_output=True, check=True)
    fill(database, runs=runs)
    before = statistics.median(search(database) for _ in range(rounds))
    began = time.perf_counter()
    analyze(database)
    took = time.perf_counter() - began
    return before, statistics.median(search(database) for _ in range(rounds)), took


def logged(*, calls: int, rounds: int) -> tuple[dict[str, float], int]:
    """Return the median of the rounds for each way, in seconds a call; and how many metrics were lost."""
    seconds: dict[str, list[float]] = {"log_metric": [], "log_metric_rest": []}
    peer = Peer(OURS)
    try:
        for number in range(rounds + 1):
            for way, times in seconds.items():
                took = peer.measure(way, calls=calls if way == "log_metric" else max(20, calls // 50))
                if number:  # the first round does not count
                    times.append(took)
        lost = sum(KILLED - int(peer.ask("killed", metrics=KILLED)) for _ in range(rounds))
    finally:
        peer.close()
    return {way: statistics.median(times) for way, times in seconds.items()}, lost


def main() -> None:
    """Run from the command line."""
    parser = arguments(__doc__, quick="1 round of 500 calls, 2,000 runs")
    parser.add_argument("--calls", type=int, default=5000, help="of log_metric in a round (default 5000)")
    parser.add_argument("--runs", type=int, default=20_000, help="in the database searched (default 20000)")
    parser.add_argument("--rounds", type=int, default=3)
    options = parsed(parser, name="tracking")
    if options.quick:
        options.calls, options.runs, options.rounds = 500, 2_000, 1
    where = machine()
    with tempfile.TemporaryDirectory(prefix="mlws", dir="/tmp") as place:
        folder = Path(place)
        seconds, lost = logged(calls=options.calls, rounds=options.rounds)
        before, after, took = searched(folder, runs=options.runs, rounds=options.rounds)
    ours, rest = 1000 * seconds["log_metric"], 1000 * seconds["log_metric_rest"]
    text = "\n".join(
        [
            "| `mlflow.log_metric` in a job | ms a call, median | ratio |",
            "|---|---:|---:|",
            f"| **jupyter_mlws** | {ours:.4f} | 1 |",
            f"| MLflow's REST, same server | {rest:.2f} | {rest / ours:.0f} × |",
            "",
            f"Jobs that logged {KILLED:,} metrics, and whose worker and kernel were killed with -9 a second "
            f"later: {options.rounds}. Metrics lost: {lost}.",
            "",
            f"| `search_runs`, {options.runs:,} runs, one parameter, ordered by a metric | s |",
            "|---|---:|",
            f"| without statistics | {before:.3f} |",
            f"| after `ANALYZE` (itself {took:.2f} s) | {after:.3f} |",
            "",
            f"{where}. {options.rounds} rounds of {options.calls:,} calls.",
        ]
    )
    print(text)
    if options.write:
        figures = {"log_metric_ms": ours, "log_metric_ratio": rest / ours, "killed_lost": lost}
        record("tracking", text, figures, where=where)


if __name__ == "__main__":
    main()
