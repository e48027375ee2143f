"""Chaos: at seeded random moments processes of a workspace are killed with -9; then the truth is compared.

Run by hand: `python -m benchmarks.chaos --moments 200 --write`. What is killed and what is then compared is
in `tests/crash/chaos.py`, which CI plays for the first twenty seeds. With `--beside N` so many workspaces are
played side by side, each with its share of the seeds: quicker, and on a machine that is never idle.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from benchmarks.report import machine, put_between
from tests.crash.chaos import Chaos, Round
from tests.fixtures.place import a_place


def play(moments: Sequence[int]) -> tuple[list[Round], list[tuple[int, str]]]:
    """Play the rounds of these seeds in one workspace; return those that went well, and what went wrong."""
    went_well: list[Round] = []
    failures: list[tuple[int, str]] = []
    with a_place() as place:
        os.environ.update(place.environment)
        chaos = Chaos(place)
        for seed in moments:
            try:
                went_well.append(done := chaos.play(seed))
                print(f"{seed:4d}  {' and '.join(done.victims)}: {done.seconds:.1f} s", flush=True)
            except AssertionError as wrong:
                failures.append((seed, str(wrong)))
                print(f"{seed:4d}  NOT AS IT SHOULD BE: {wrong}", flush=True)
        chaos.close()
    return went_well, failures


def play_beside(moments: range, number: int) -> tuple[list[Round], list[tuple[int, str]]]:
    """Play the rounds of these seeds in `number` workspaces side by side; return as `play`."""
    shares = [moments[first::number] for first in range(number)]
    # Anew, since each has an environment of its own.
    with ProcessPoolExecutor(number, mp_context=multiprocessing.get_context("spawn")) as pool:
        played = list(pool.map(play, shares))
    return (
        sorted((done for rounds, _ in played for done in rounds), key=lambda done: done.seed),
        sorted(failure for _, failures in played for failure in failures),
    )


def table(rounds: list[Round], failures: list[tuple[int, str]]) -> str:
    """Return the report as Markdown."""
    killed: dict[str, list[float]] = defaultdict(list)
    for each in rounds:
        roles = sorted(victim.partition(" of ")[0] for victim in each.victims)
        killed[" and ".join(roles)].append(each.seconds)
    statuses: Counter[str] = sum((each.statuses for each in rounds), Counter())
    lines = [
        "| killed with -9 | moments | all as it should be after, median s | longest |",
        "|---|---:|---:|---:|",
    ]
    for together, seconds in sorted(killed.items(), key=lambda item: (item[0].count(" and "), item[0])):
        lines.append(
            f"| {together} | {len(seconds)} | {statistics.median(seconds):.1f} | {max(seconds):.1f} |"
        )
    jobs = ", ".join(f"{number} {status}" for status, number in sorted(statuses.items()))
    lines += [
        "",
        f"{len(rounds)} of {len(rounds) + len(failures)} moments went as they should. Jobs: {jobs}.",
    ]
    lines += [f"- Seed {seed}: {wrong[:500]}" for seed, wrong in failures]
    return "\n".join(lines)


def main() -> int:
    """Return 1 when something was not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moments", type=int, default=200, help="how many seeds, from --first on")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--beside", type=int, default=1, help="workspaces that are played at the same time")
    parser.add_argument("--write", action="store_true", help="put the report into README.md")
    options = parser.parse_args()
    began = time.monotonic()
    moments = range(options.first, options.first + options.moments)
    rounds, failures = play_beside(moments, options.beside) if options.beside > 1 else play(moments)
    minutes = (time.monotonic() - began) / 60
    how = f"{options.beside} workspaces side by side, " if options.beside > 1 else ""
    report = f"{table(rounds, failures)}\n\n{machine()}. {how}{minutes:.0f} minutes."
    print("\n" + report)
    if options.write:
        put_between("chaos", report)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
