"""Runs real attempts: a folder, a task, the worker's own process, and what it left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_mlws.model.job import JobSpec
from jupyter_mlws.model.remote import Remote
from jupyter_mlws.worker.task import Task

JOB = "0123456789abc"


@dataclass
class Attempt:
    """One attempt, running or over."""

    root: Path
    process: subprocess.Popen[bytes] | None = None
    seen: list[dict[str, Any]] = field(default_factory=list)

    def wait(self, timeout: float = 120) -> Attempt:
        assert self.process is not None
        self.process.wait(timeout)
        return self

    def cancel(self) -> None:
        assert self.process is not None
        (self.root / "cancel").touch()
        self.process.send_signal(signal.SIGTERM)

    @property
    def events(self) -> list[dict[str, Any]]:
        path = self.root / "events.jsonl"
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    @property
    def statuses(self) -> list[str]:
        return [event["status"] for event in self.of("status")]

    @property
    def last(self) -> dict[str, Any]:
        return self.events[-1]

    @property
    def error(self) -> dict[str, Any]:
        return self.last["error"]

    @property
    def outputs(self) -> list[dict[str, Any]]:
        return [event["output"] for event in self.of("output")]

    def text(self, name: str = "stdout") -> str:
        return "".join(
            output["text"]
            for output in self.outputs
            if output["output_type"] == "stream" and output["name"] == name
        )

    @property
    def messages(self) -> list[str]:
        return [event["text"] for event in self.of("message")]

    @property
    def cell_states(self) -> list[tuple[int, str]]:
        return [(event["index"], event["state"]) for event in self.of("cell")]

    @property
    def results(self) -> dict[str, dict[str, Any]]:
        return {item["name"]: item for event in self.of("results") for item in event["items"]}

    @property
    def notebook(self) -> dict[str, Any]:
        return json.loads((self.root / "notebook.ipynb").read_bytes())

    @property
    def log(self) -> str:
        return (self.root / "worker.log").read_text()


def prepare(
    root: Path,
    *,
    task: dict[str, Any] | None = None,
    remote: Remote | None = None,
    before: Callable[[Path], None] | None = None,
    **spec: Any,
) -> Attempt:
    """Write the task of an attempt into the folder `root`, and where it runs if not here.

    `before` puts more into the folder; paths of the task are relative to it.
    """
    root.mkdir(parents=True, exist_ok=True)
    if before is not None:
        before(root)
    if remote is not None:
        (root / "remote.json").write_text(remote.model_dump_json())
    task = {
        key: str(root / value) if key in ("cwd", "script") else value for key, value in (task or {}).items()
    }
    fields = {"kind": "cell", "name": "test", "kernel": {"executable": sys.executable}, **spec}
    written = Task(
        **{
            "job": JOB,
            "attempt": 1,
            "cwd": str(root),
            "spec": JobSpec(**fields),
            "grace": 1.0,
            **task,
        }
    )
    (root / "task.json").write_text(written.model_dump_json())
    return Attempt(root)


def start(attempt: Attempt) -> Attempt:
    """Start the worker's process."""
    # Where it sees pytest, ipykernel leaves the file descriptors alone.
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    with (attempt.root / "worker.log").open("ab") as sink:
        attempt.process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_mlws.worker", str(attempt.root)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return attempt


def notebook_json(*cells: str | tuple[str, list[str]], **metadata: Any) -> dict[str, Any]:
    """A notebook of code cells; a cell is its source, or its source and its tags."""
    made = []
    for number, cell in enumerate(cells):
        source, tags = (cell, []) if isinstance(cell, str) else cell
        made.append(
            {
                "cell_type": "code",
                "id": f"cell{number}",
                "metadata": {"tags": tags} if tags else {},
                "execution_count": None,
                "outputs": [],
                "source": source,
            }
        )
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": made}
