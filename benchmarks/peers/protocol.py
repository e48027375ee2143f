"""How a peer is driven: one JSON command a line on standard input, one JSON answer a line on standard output.

Commands are `{"measure": "first_output"}`, `{"measure": "notebook"}` and `{"measure": "burst", "jobs": 20}`;
the answer is `{"measured": 0.5}`, in seconds, or a list of them where a measure has many. A peer is started
once and measured many times, so that its own start and imports are no part of the numbers, except where each
job starts them anew.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
ONE_CELL = NOTEBOOKS / "one_cell.ipynb"
FIVE_CELLS = NOTEBOOKS / "five_cells.ipynb"
AT_ONCE = os.cpu_count() or 1
"""Jobs that a peer without a queue of its own runs side by side in a burst."""

Measure = Callable[..., Any]


def answer(measures: dict[str, Measure]) -> None:
    """Answer commands until standard input ends. A measure returns seconds; `burst` takes `jobs`."""
    # What a peer prints must not come between the answers.
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    print(json.dumps({"ready": sorted(measures)}), file=out)
    for line in sys.stdin:
        command = json.loads(line)
        name = command.pop("measure")
        try:
            print(json.dumps({"measured": measures[name](**command)}), file=out)
        except Exception as error:
            print(json.dumps({"error": f"{type(error).__name__}: {error}"}), file=out)
