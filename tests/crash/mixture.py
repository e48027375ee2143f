"""Jobs of every kind whose true ending, output and side effects are known beforehand."""

from __future__ import annotations

import json
import random
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupyter_mlws as mlws
from jupyter_mlws.client.options import JobOptions

# Once for each attempt that begins to run; one `write` in append mode is whole, whoever else writes.
_EFFECT = """\
import os, time
_file = os.open({effects!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
os.write(_file, b"{key}\\n")
os.close(_file)
"""
_LINES = """\
for _number in range({first}, {last}):
    print("{key} line", _number, flush=True)
    time.sleep({pause})
"""
_CELL = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": []}


@dataclass(frozen=True)
class Sent:
    """A job that was accepted, and what becomes of it if nobody harms it."""

    id: str
    key: str
    kind: str
    status: str
    error: str | None
    """The code of its error."""
    text: str
    """All that it prints."""
    attempts: int = 1
    """How many it may have at most."""
    canceled: bool = False
    """Whether it is canceled at some moment, so that it may also have run to its end."""
    metric: float | None = None
    result: Any = None


class Mixture:
    """Makes and submits jobs, chosen by a random generator."""

    def __init__(self, workspace: mlws.Workspace, folder: Path, chance: random.Random) -> None:
        """Notebooks and scripts, and the file `effects`, go into `folder`."""
        self._workspace, self._folder, self._chance = workspace, folder, chance
        self._kinds: list[Callable[[str], Sent]] = [
            self._cell,
            self._notebook,
            self._script,
            self._function,
            self._failing,
            self._retried,
            self._logging,
            self._timed_out,
        ]

    @property
    def effects(self) -> Path:
        """A line for each attempt that began to run: its job's key."""
        return self._folder / "effects"

    def send(self, number: int) -> list[Sent]:
        """Submit `number` jobs of different kinds."""
        return [kind(secrets.token_hex(4)) for kind in self._chance.sample(self._kinds, number)]

    def _code(self, key: str, *, lines: int = 30) -> str:
        pause = self._chance.choice([0.0, 0.01, 0.03])
        effect = _EFFECT.format(effects=str(self.effects), key=key)
        return effect + _LINES.format(key=key, first=0, last=lines, pause=pause)

    def _submit_cell(self, key: str, code: str, **options: Any) -> str:
        options = {"name": key, "kernel": sys.executable, **options}
        jobs = self._workspace.jobs
        return jobs.submit_cell(code, namespace={}, options=JobOptions(**options)).id

    def _cell(self, key: str) -> Sent:
        id = self._submit_cell(key, self._code(key))
        return Sent(id, key, "cell", "Completed", None, text_of(key, 30))

    def _failing(self, key: str) -> Sent:
        id = self._submit_cell(key, self._code(key) + "raise ValueError('as it is to be')\n")
        return Sent(id, key, "failing", "Failed", "user_error", text_of(key, 30))

    def _retried(self, key: str) -> Sent:
        id = self._submit_cell(key, self._code(key), retries=1)
        return Sent(id, key, "retried", "Completed", None, text_of(key, 30), attempts=2)

    def _timed_out(self, key: str) -> Sent:
        # Few lines: all of them are to be there in time, on a busy machine, too.
        id = self._submit_cell(key, self._code(key, lines=5) + "time.sleep(600)\n", timeout=3.0)
        return Sent(id, key, "timed out", "Failed", "timeout", text_of(key, 5))

    def _logging(self, key: str) -> Sent:
        value = round(self._chance.random(), 6)
        code = self._code(key) + f"import mlflow\nmlflow.log_metric('chaos', {value})\n"
        return Sent(
            self._submit_cell(key, code), key, "logging", "Completed", None, text_of(key, 30), metric=value
        )

    def _notebook(self, key: str) -> Sent:
        pause = self._chance.choice([0.0, 0.03])
        sources = [_EFFECT.format(effects=str(self.effects), key=key)]
        sources += [
            "import time\n" + _LINES.format(key=key, first=first, last=first + 10, pause=pause)
            for first in (0, 10, 20)
        ]
        cells = [
            {
                "cell_type": "code",
                "id": f"c{n}",
                "metadata": {},
                "execution_count": None,
                "outputs": [],
                "source": source,
            }
            for n, source in enumerate(sources)
        ]
        path = self._folder / f"{key}.ipynb"
        path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}))
        job = self._workspace.jobs.submit(str(path), name=key, kernel=sys.executable, snapshot=False)
        return Sent(job.id, key, "notebook", "Completed", None, text_of(key, 30))

    def _script(self, key: str) -> Sent:
        path = self._folder / f"{key}.py"
        path.write_text(self._code(key))
        job = self._workspace.jobs.submit(str(path), name=key, kernel=sys.executable, snapshot=False)
        return Sent(job.id, key, "script", "Completed", None, text_of(key, 30))

    def _function(self, key: str) -> Sent:
        # A function that no module has, as in a notebook.
        space: dict[str, Any] = {"__name__": "__main__"}
        body = "".join("    " + line + "\n" for line in self._code(key).splitlines())
        exec(f"def work(x):\n{body}    return [x, '{key}']\n", space)
        job = self._workspace.jobs.submit(space["work"], 7, name=key, kernel=sys.executable)
        return Sent(job.id, key, "function", "Completed", None, text_of(key, 30), result=[7, key])


def text_of(key: str, lines: int) -> str:
    """What a job of this mixture prints."""
    return "".join(f"{key} line {number}\n" for number in range(lines))
