"""How long a job takes: to its first output, to the end of five cells, and how many end in a second.

Measures jupyter_mlws beside what its users would use otherwise, each in its own virtual environment, in
interleaved rounds on the same machine, and prints the medians and their ratios as Markdown tables.
`python benchmarks/jobs.py [--rounds N] [--quick] [--peers a,b]`; `--write` puts them into README.md.
"""

from __future__ import annotations

import statistics
import sys
from collections import defaultdict
from collections.abc import Sequence

from goals import record
from peer import OURS, PEERS, Peer
from report import arguments, machine, parsed

DESCRIBED = {
    OURS: "**jupyter_mlws**: `%%mlws submit`, and its Python client",
    "jupyter_client": "jupyter_client, cold kernel, nothing kept",
    "nbclient": "nbclient, cold kernel, in process",
    "papermill": "papermill, command line",
    "jupyter_scheduler": "jupyter-scheduler, POST to COMPLETED",
}
SERIES = {"cells": "a trivial cell", "cells_with_table": "a cell that reads a captured table of 10 MB"}

Seconds = dict[str, dict[str, list[float]]]
"""By peer and measure. A burst's are those of one job: what all took, by their number."""


def measure(peers: list[Peer], *, rounds: int, cells: int, burst: int, burst_of_peers: int) -> Seconds:
    """Measure each peer `rounds` times after one round that does not count, in turn, never side by side.

    Where a peer measures one first output, ours are `cells` in a row.
    """
    seconds: Seconds = defaultdict(lambda: defaultdict(list))
    for number in range(rounds + 1):
        # Another begins each time, so that nobody always runs after the same neighbour.
        turn = peers[number % len(peers) :] + peers[: number % len(peers)]
        for what in ("first_output", "notebook", "burst"):
            for peer in turn:
                if what == "burst" and number == 0:
                    continue
                jobs = burst if peer.name == OURS else burst_of_peers
                taken = _measured(peer, what, cells=cells, jobs=jobs)
                if number:
                    for name, each in taken.items():
                        seconds[peer.name][name] += each
        print(f"round {number} of {rounds}", file=sys.stderr)
    return seconds


def _measured(peer: Peer, what: str, *, cells: int, jobs: int) -> dict[str, list[float]]:
    if what == "burst":
        return {what: [peer.measure(what, jobs=jobs) / jobs]}
    if what == "first_output" and peer.name == OURS:
        taken = {name: peer.series(name, cells=cells) for name in SERIES}
        return {what: taken["cells"], **taken}
    return {what: [peer.measure(what)]}


def table(seconds: Seconds, *, burst: int, burst_of_peers: int) -> str:
    """The medians as a Markdown table; in brackets how many times longer than jupyter_mlws."""
    lines = [
        "| | first output of `print(1 + 1)`, s | five-cell scikit-learn notebook, s "
        f"| jobs a second, {burst} at once (peers: {burst_of_peers}) |",
        "|---|---:|---:|---:|",
    ]
    ours = {what: statistics.median(values) for what, values in seconds.get(OURS, {}).items()}
    for peer in [name for name in PEERS if name in seconds]:
        cells = [DESCRIBED[peer]]
        for what in ("first_output", "notebook", "burst"):
            middle = statistics.median(seconds[peer][what])
            shown = f"{1 / middle:.2f}" if what == "burst" else f"{middle:.3f}"
            if ours and peer != OURS:
                shown += f" ({middle / ours[what]:.2f} ×)"
            cells.append(shown)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def series(ours: dict[str, list[float]], *, cells: int) -> str:
    """How the first outputs of cells back to back are spread, as a Markdown table."""
    lines = [
        f"| `%%mlws submit` to the first output, {cells} back to back | median, ms | least | most |",
        "|---|---:|---:|---:|",
    ]
    for name, described in SERIES.items():
        shown = [f"{1000 * each:.0f}" for each in _spread(ours[name])]
        lines.append(f"| {described} | {' | '.join(shown)} |")
    return "\n".join(lines)


def _spread(values: Sequence[float]) -> tuple[float, float, float]:
    return statistics.median(values), min(values), max(values)


def figures(seconds: Seconds) -> dict[str, float]:
    """Return what the goals speak of. All peers must have been measured."""
    middle = {
        peer: {what: statistics.median(values) for what, values in measures.items()}
        for peer, measures in seconds.items()
    }
    ours = middle[OURS]
    return {
        "first_output_ms": 1000 * ours["cells"],
        "first_output_ratio": middle["jupyter_client"]["first_output"] / ours["cells"],
        "first_output_table_ms": 1000 * ours["cells_with_table"],
        "notebook_papermill_ratio": middle["papermill"]["notebook"] / ours["notebook"],
        "notebook_scheduler_ratio": middle["jupyter_scheduler"]["notebook"] / ours["notebook"],
        "burst_rate": 1 / ours["burst"],
        "burst_lost": 0,  # else the measure would have raised
    }


def main() -> None:
    """Run from the command line."""
    parser = arguments(__doc__, quick="2 rounds, 5 cells in a row, 6 jobs at once")
    parser.add_argument("--rounds", type=int, default=7, help="that count (default 7)")
    parser.add_argument("--cells", type=int, default=20, help="of ours back to back in a round (default 20)")
    parser.add_argument("--jobs", type=int, default=200, help="trivial jobs of ours at once (default 200)")
    parser.add_argument("--jobs-of-peers", type=int, default=20, help="of a peer at once (default 20)")
    parser.add_argument("--peers", default=",".join(PEERS), help=f"of {', '.join(PEERS)}")
    options = parsed(parser, name="jobs", fixed=["cells", "jobs", "peers"])
    names = [name.strip() for name in options.peers.split(",")]
    if unknown := [name for name in names if name not in PEERS]:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(PEERS)}")
    rounds, cells, burst, others = (
        (2, 5, 6, 6)
        if options.quick
        else (options.rounds, options.cells, options.jobs, options.jobs_of_peers)
    )

    # Asked before our own load: a machine that is busy with something else shows here.
    where = machine()
    peers: list[Peer] = []
    try:
        for name in names:
            peers.append(Peer(name))
        seconds = measure(peers, rounds=rounds, cells=cells, burst=burst, burst_of_peers=others)
    finally:
        for peer in peers:
            peer.close()
    parts = [table(seconds, burst=burst, burst_of_peers=others)]
    if OURS in seconds:
        parts.append(series(seconds[OURS], cells=cells))
    parts.append(f"{where}. Medians of {rounds} interleaved rounds.")
    text = "\n\n".join(parts)
    print(text)
    if options.write:
        record("jobs", text, figures(seconds), where=where)


if __name__ == "__main__":
    main()
