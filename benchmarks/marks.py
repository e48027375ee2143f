"""Where the time of a first output goes: from the notebook through all processes and back, step by step.

Cells with `%%mlws submit` run back to back, as `jobs.py` has them, and each step's time is taken from what a
job leaves behind: its record, the files of its attempt, its event log (`peers/timeline.py`). Nothing in the
product measures itself. `python benchmarks/marks.py [--cells N]`; `--write` puts the table into README.md.
"""

from __future__ import annotations

import statistics
from itertools import pairwise

from goals import record
from peer import OURS, Peer
from report import arguments, machine, parsed


def measure(*, cells: int) -> list[dict[str, float]]:
    """Return the moments of each cell, in seconds since 1970, after a few cells that do not count."""
    peer = Peer(OURS)
    try:
        peer.series("cells", cells=5)
        found: list[dict[str, float]] = peer.ask("timeline", cells=cells)
        return found
    finally:
        peer.close()


def table(timelines: list[dict[str, float]]) -> str:
    """Return the medians of the steps as a Markdown table, in milliseconds."""
    names = list(timelines[0])
    lines = ["| until | ms, median | least | most |", "|---|---:|---:|---:|"]
    steps = [(each[-1], list(each)) for each in pairwise(names)] + [("**all**", [names[0], names[-1]])]
    for name, (begin, end) in steps:
        taken = [1000 * (timeline[end] - timeline[begin]) for timeline in timelines]
        lines.append(f"| {name} | {statistics.median(taken):.1f} | {min(taken):.1f} | {max(taken):.1f} |")
    return "\n".join(lines)


def main() -> None:
    """Run from the command line."""
    parser = arguments(__doc__, quick="5 cells")
    parser.add_argument("--cells", type=int, default=40, help="back to back (default 40)")
    options = parsed(parser, name="marks")
    where = machine()
    cells = 5 if options.quick else options.cells
    text = f"{table(measure(cells=cells))}\n\n{where}. {cells} cells."
    print(text)
    if options.write:
        record("marks", text, {}, where=where)


if __name__ == "__main__":
    main()
