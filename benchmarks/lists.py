"""How long a page of a list of 100,000 jobs takes: first, middle and last, in every order, by every filter.

A page is taken from the store, as the server takes it, and through the REST of a real server on the same
workspace. `python benchmarks/lists.py [--jobs N] [--rounds N]`; `--write` puts the table into README.md.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from goals import record
from many_jobs import METRICS, fill
from report import arguments, machine, parsed

from jupyter_mlws.model.job import JobPage
from jupyter_mlws.model.job_query import LARGEST_PAGE, JobQuery, JobSort
from jupyter_mlws.store import jobs as rows
from jupyter_mlws.store.database import Database
from jupyter_mlws.store.layout import Layout
from tests.fixtures.place import a_place
from tests.fixtures.servers import launch

GOAL = 50.0
"""Milliseconds."""
FILTERS: dict[str, dict[str, Any]] = {
    "no filter": {},
    "status that most have": {"status": ["Completed"]},
    "two statuses that few have": {"status": ["Failed", "Canceled"]},
    "status that none has": {"status": ["Running"]},
    "experiment, large": {"experiment": "experiment 0"},
    "experiment, small": {"experiment": "experiment 30"},
    "name": {"name": "train Forest 7"},
    "part of the name": {"q": "forest"},
    "part of no name": {"q": "no such name"},
    "kind": {"kind": "script"},
    "compute": {"compute": "gateway-1"},
    "user": {"created_by": "ada"},
    "metric": {"metric": METRICS[0]},
    "all at once": {
        "status": ["Completed"],
        "experiment": "experiment 1",
        "q": "FOREST",
        "kind": "cell",
        "compute": "local",
        "created_by": "ada",
        "metric": METRICS[1],
    },
}

Question = dict[str, Any]
List = tuple[str, str, bool]
"""Filter, order, descending."""
Place = tuple[str, str, bool, str]
"""A list, and which of its pages was asked for."""


def questions() -> Iterator[tuple[List, Question]]:
    """Every filter in every order, both ways."""
    for name, filtered in FILTERS.items():
        for sort in JobSort:
            for descending in (True, False):
                question: Question = {**filtered, "sort": sort.value, "descending": descending}
                if sort is JobSort.METRIC:
                    question.setdefault("metric", METRICS[0])
                yield (name, sort.value, descending), question


def cursors(layout: Layout, question: Question) -> dict[str, str | None]:
    """Return where the first, the middle and the last page of this list begin; fewer in a short list."""
    found: list[str | None] = [None]
    database = Database.open(layout)
    try:
        while True:
            with database.read() as tx:
                page = rows.page(tx, JobQuery(**question, cursor=found[-1], limit=LARGEST_PAGE))
            if page.next is None:
                break
            found.append(page.next)
    finally:
        database.close()
    begins = {"first": found[0], "last": found[-1], "middle": found[len(found) // 2]}
    # A short list has the same page under two names; it keeps the first one.
    names = {begin: name for name, begin in reversed(begins.items())}
    return {name: begin for begin, name in reversed(names.items())}


def timed(ask: Callable[[], object]) -> float:
    """Return the milliseconds that `ask` takes."""
    began = time.perf_counter()
    ask()
    return 1000 * (time.perf_counter() - began)


def measure(layout: Layout, api: Any, *, rounds: int) -> dict[str, dict[Place, list[float]]]:
    """Ask for each page from the store and by REST, in turn; one round does not count.

    Returns milliseconds by way and page.
    """
    database = Database.open(layout)
    taken: dict[str, dict[Place, list[float]]] = {"store": defaultdict(list), "REST": defaultdict(list)}
    try:
        every = list(questions())
        # Each list is walked through from end to end, before anything is measured.
        with ProcessPoolExecutor() as pool:
            begins_of = list(pool.map(partial(cursors, layout), [question for _, question in every]))
        asked = [(each, question, begins) for (each, question), begins in zip(every, begins_of, strict=True)]
        for number in range(rounds + 1):
            for each, question, begins in asked:
                for page, begin in begins.items():
                    place = (*each, page)
                    query = JobQuery(**question, cursor=begin)
                    from_store = timed(lambda query=query: _page(database, query))
                    wanted = {**question, **({} if begin is None else {"cursor": begin})}
                    by_rest = timed(lambda wanted=wanted: _asked(api, wanted))
                    if number:
                        taken["store"][place].append(from_store)
                        taken["REST"][place].append(by_rest)
            print(f"round {number} of {rounds}", file=sys.stderr)
    finally:
        database.close()
    return taken


def _page(database: Database, query: JobQuery) -> JobPage:
    with database.read() as tx:
        return rows.page(tx, query)


def _asked(api: Any, wanted: Question) -> None:
    api.get("/jobs", params=wanted).raise_for_status()


def table(taken: dict[str, dict[Place, list[float]]]) -> str:
    """Median and worst page of each filter over all orders, and of each order over all filters."""
    lines = [
        "| list, page of 50 | store, median ms | worst | REST, median ms | worst |",
        "|---|---:|---:|---:|---:|",
    ]
    groups: dict[str, Callable[[Place], bool]] = {"**all**": lambda place: True}
    for name in FILTERS:
        groups[f"filter: {name}"] = lambda place, name=name: place[0] == name
    for sort in JobSort:
        groups[f"order: {sort.value}"] = lambda place, sort=sort: place[1] == sort.value
    for name, holds in groups.items():
        cells = [name]
        for way in ("store", "REST"):
            found = [each for place, times in taken[way].items() if holds(place) for each in times]
            cells += [f"{statistics.median(found):.1f}", f"{max(found):.1f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def slowest(taken: dict[str, dict[Place, list[float]]]) -> str:
    """The pages whose median misses the goal, in words."""
    lines = []
    for way, places in taken.items():
        middles = {place: statistics.median(times) for place, times in places.items()}
        slow = {place: middle for place, middle in middles.items() if middle > GOAL}
        lines.append(f"{way}: the median is over {GOAL:.0f} ms for {len(slow)} of {len(places)} pages.")
        for (name, sort, descending, page), middle in slow.items():
            way_round = "descending" if descending else "ascending"
            lines.append(f"- {name}, by {sort} {way_round}, {page} page: {middle:.0f} ms")
    return "\n".join(lines)


def main() -> None:
    """Run from the command line."""
    parser = arguments(__doc__, quick="10,000 jobs, 1 round")
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parsed(parser, name="lists", fixed=["jobs"])
    if options.quick:
        options.jobs, options.rounds = 10_000, 1
    where = machine()
    with a_place() as place:
        os.environ.update(place.environment)
        layout = Layout(place.workspace)
        began = time.perf_counter()
        fill(layout, jobs=options.jobs)
        size = layout.database.stat().st_size / 2**20
        print(f"{options.jobs} jobs, {size:.0f} MB, in {time.perf_counter() - began:.0f} s", file=sys.stderr)
        server = launch(place, arguments=["--MlwsApp.mlflow=False"])
        try:
            with server.client() as api:
                taken = measure(layout, api, rounds=options.rounds)
        finally:
            server.stop()
    text = f"{table(taken)}\n\n{slowest(taken)}\n\n{where}. {options.jobs:,} jobs, {options.rounds} rounds."
    print(text)
    if options.write:
        worst = max(statistics.median(times) for times in taken["REST"].values())
        record("lists", text, {"list_page_ms": worst}, where=where)


if __name__ == "__main__":
    main()
