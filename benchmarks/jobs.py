"""How long a job takes: to its first output, to the end of five cells, and how many end in a second.

Measures jupyter_mlws beside what its users would use otherwise, each in its own virtual environment, in
interleaved rounds on the same machine, and prints the medians and their ratios as a Markdown table.
`python benchmarks/jobs.py [--rounds N] [--quick] [--peers a,b]`; `--write` puts the table into README.md.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import environments
from report import machine, put_between

HERE = Path(__file__).resolve().parent
OURS = "jupyter_mlws"
PEERS = (OURS, *environments.PACKAGES)
DESCRIBED = {
    OURS: "**jupyter_mlws**, submit by its Python client",
    "jupyter_client": "jupyter_client, cold kernel, nothing kept",
    "nbclient": "nbclient, cold kernel, in process",
    "papermill": "papermill, command line",
    "jupyter_scheduler": "jupyter-scheduler, POST to COMPLETED",
}

Seconds = dict[str, dict[str, list[float]]]


class Peer:
    """A process that runs one peer's jobs on command; see `peers/protocol.py`."""

    def __init__(self, name: str) -> None:
        python = Path(sys.executable) if name == OURS else environments.ensure(name)
        environment = {**os.environ, "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        self.name = name
        self._process = subprocess.Popen(
            [python, HERE / "peers" / f"{name}_peer.py"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            bufsize=1,
        )
        self._read()

    def measure(self, name: str, **arguments: int) -> float:
        """Return the seconds that one measure took. Raises `RuntimeError` with the peer's own words."""
        assert self._process.stdin is not None
        print(json.dumps({"measure": name, **arguments}), file=self._process.stdin)
        answer = self._read()
        if "error" in answer:
            raise RuntimeError(f"{self.name}, {name}: {answer['error']}")
        return float(answer["seconds"])

    def close(self) -> None:
        """Let the peer end what it started, and wait for it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(60)

    def _read(self) -> dict[str, object]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended without an answer; run its file in peers/ to see why")
        answer: dict[str, object] = json.loads(line)
        return answer


def measure(peers: list[Peer], *, rounds: int, burst: int) -> Seconds:
    """Measure each peer `rounds` times after one round that does not count, in turn, never side by side."""
    seconds: Seconds = defaultdict(lambda: defaultdict(list))
    for number in range(rounds + 1):
        # Another begins each time, so that nobody always runs after the same neighbour.
        turn = peers[number % len(peers) :] + peers[: number % len(peers)]
        for what, arguments in (("first_output", {}), ("notebook", {}), ("burst", {"jobs": burst})):
            for peer in turn:
                if what == "burst" and number == 0:
                    continue
                took = peer.measure(what, **arguments)
                if number:
                    seconds[peer.name][what].append(took)
        print(f"round {number} of {rounds}", file=sys.stderr)
    return seconds


def table(seconds: Seconds, *, burst: int) -> str:
    """The medians as a Markdown table; in brackets how many times longer than jupyter_mlws."""
    lines = [
        "| | first output of `print(1 + 1)`, s | five-cell scikit-learn notebook, s "
        f"| jobs a second, {burst} at once |",
        "|---|---:|---:|---:|",
    ]
    ours = {what: statistics.median(values) for what, values in seconds.get(OURS, {}).items()}
    for peer in [name for name in PEERS if name in seconds]:
        measures = seconds[peer]
        cells = [DESCRIBED[peer]]
        for what in ("first_output", "notebook", "burst"):
            middle = statistics.median(measures[what])
            shown = f"{burst / middle:.2f}" if what == "burst" else f"{middle:.3f}"
            if ours and peer != OURS:
                shown += f" ({middle / ours[what]:.2f} ×)"
            cells.append(shown)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--jobs", type=int, default=20, help="trivial jobs at once (default 20)")
    parser.add_argument("--quick", action="store_true", help="2 rounds, 6 jobs at once: a look, no result")
    parser.add_argument("--peers", default=",".join(PEERS), help=f"of {', '.join(PEERS)}")
    parser.add_argument("--write", action="store_true", help="put the table into benchmarks/README.md")
    options = parser.parse_args()
    names = [name.strip() for name in options.peers.split(",")]
    if unknown := [name for name in names if name not in PEERS]:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(PEERS)}")
    rounds, burst = (2, 6) if options.quick else (options.rounds, options.jobs)

    # Asked before our own load: a machine that is busy with something else shows here.
    where = machine()
    peers: list[Peer] = []
    try:
        for name in names:
            peers.append(Peer(name))
        seconds = measure(peers, rounds=rounds, burst=burst)
    finally:
        for peer in peers:
            peer.close()
    text = f"{table(seconds, burst=burst)}\n\n{where}. Medians of {rounds} interleaved rounds."
    print(text)
    if options.write:
        put_between("jobs", text)


if __name__ == "__main__":
    main()
