"""Chaos: at a random moment processes of a workspace are killed with -9; then the truth is compared.

Every job ends in its true state with its whole output; what it does happens once for each attempt; nothing is
left over; and no job notices whose processes were not touched.
"""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

import jupyter_mlws as mlws
from jupyter_mlws.jobs.ending import NEVER_BEGAN
from tests.crash.asking import ended, text
from tests.crash.mixture import Mixture, Sent
from tests.crash.victims import ROLES, Victim, living
from tests.fixtures.place import MARK, Place
from tests.fixtures.servers import RunningServer, launch

JOBS = 5
_DELAY = 2.5  # seconds after the submission within which the moment lies
_PATIENCE = 120.0
_RUN_STATUS = {"Completed": "FINISHED", "Failed": "FAILED", "Canceled": "KILLED"}
# What a user reads when the processes of a job were killed.
_DEATHS = {"worker_died", "kernel_died", "kernel_start_failed"}


@dataclass
class Round:
    """What happened in one round."""

    seed: int
    victims: list[str] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    """From the kill until everything was as it should be."""


class Chaos:
    """A workspace with a server, in which rounds of chaos are played."""

    def __init__(self, place: Place) -> None:
        """The default configuration, with two slots."""
        self.place = place
        self._server = self._start()

    def play(self, seed: int) -> Round:
        """Play the round of `seed`. Raises AssertionError when something is not as it should be."""
        chance = random.Random(seed)
        done = Round(seed)
        with mlws.connect(url=self._server.url, token=self._server.token) as workspace:
            mixture = Mixture(workspace, self.place.folder, chance)
            sent = mixture.send(JOBS)
        time.sleep(chance.uniform(0, _DELAY))
        victims = self._choose(chance)
        done.victims = [str(victim) for victim in victims]
        for victim in victims:
            with contextlib.suppress(psutil.NoSuchProcess):
                victim.process.kill()
        began = time.monotonic()
        if any(victim.role == "server" for victim in victims):
            self._server.process.wait(10)
            self._server = self._start()
        touched = {victim.job for victim in victims if victim.job is not None}
        with self._server.client() as client:
            for job in sent:
                done.statuses[self._check(client, job, touched=job.id in touched)] += 1
        self._check_effects(sent, touched, mixture.effects)
        self._check_runs(sent)
        self._check_leftovers()
        done.seconds = time.monotonic() - began
        return done

    def close(self) -> None:
        """End the server, and with it, as nothing runs, all the rest."""
        self._server.stop()
        _until(lambda: not self._processes(), "the end of all processes", self._processes)

    def _start(self) -> RunningServer:
        return launch(self.place, arguments=["--MlwsApp.cpus=2"], sparing=False)

    def _living(self) -> list[Victim]:
        server = psutil.Process(self._server.process.pid)
        return living(server, workspace=self.place.workspace, runtime=self.place.runtime)

    def _choose(self, chance: random.Random) -> list[Victim]:
        """One process, or two of different roles, each role that lives as likely as any other."""
        there = self._living()
        roles = [role for role in ROLES if any(victim.role == role for victim in there)]
        chosen = chance.sample(roles, min(len(roles), chance.choice([1, 2])))
        return [chance.choice([victim for victim in there if victim.role == role]) for role in chosen]

    def _check(self, client: httpx.Client, sent: Sent, *, touched: bool) -> str:
        """Wait for the end of a job; return its status, which is the true one."""
        job = _until(lambda: ended(client, sent.id), f"the end of {sent}", lambda: _about(client, sent.id))
        code = (job["error"] or {}).get("code")
        about = f"{sent.kind} job {sent.id}: {job['status']} {job['error']}, attempt {job['attempt']}"
        said = text(client, sent.id)
        if touched and job["status"] == "Failed" and code in _DEATHS:
            assert sent.text.startswith(said), f"{about}: it says {said!r}"
        else:
            assert (job["status"], code) == (sent.status, sent.error), about
            assert said == sent.text, f"{about}: it says {said!r}"
        assert len(_begun(client, sent.id)) <= (sent.attempts if touched else 1), about
        if job["status"] == "Completed" and sent.metric is not None:
            assert job["metrics"].get("chaos") == sent.metric, f"{about}: {job['metrics']}"
        if job["status"] == "Completed" and sent.result is not None:
            with mlws.connect(url=self._server.url, token=self._server.token) as workspace:
                assert workspace.jobs.get(sent.id).result() == sent.result, about
        return str(job["status"])

    def _check_effects(self, sent: list[Sent], touched: set[str], effects: Path) -> None:
        seen = Counter(effects.read_text().split())
        for job in sent:
            if job.id in touched:
                assert seen[job.key] <= job.attempts, f"{job} ran {seen[job.key]} times"
            else:
                assert seen[job.key] == 1, f"{job} ran {seen[job.key]} times"

    def _check_runs(self, sent: list[Sent]) -> None:
        """Each attempt has one run in MLflow, with its status."""
        with self._server.client() as client:
            wanted = {
                (job.id, str(attempt["number"])): _RUN_STATUS[attempt["status"]]
                for job in sent
                for attempt in _begun(client, job.id)
            }
        _until(lambda: self._runs(wanted) == sorted(wanted.items()), "the runs", lambda: self._runs(wanted))

    def _runs(self, jobs: Any) -> list[Any]:
        query = """
            select job.value, attempt.value, runs.status from runs
            join tags job on job.run_uuid = runs.run_uuid and job.key = 'mlws.job'
            join tags attempt on attempt.run_uuid = runs.run_uuid and attempt.key = 'mlws.attempt'
        """
        database = self.place.workspace / "mlflow" / "mlflow.db"
        rows: list[Any] = []
        # MLflow may still be making its first tables.
        with (
            contextlib.suppress(sqlite3.OperationalError),
            contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as reading,
        ):
            rows = reading.execute(query).fetchall()
        ids = {id for id, _ in jobs}
        runs = [((job, number), status) for job, number, status in rows if job in ids]
        # Of an attempt that never began there may be a run; that, too, is to end.
        return sorted(run for run in runs if run[0] in jobs or run[1] == "RUNNING")

    def _check_leftovers(self) -> None:
        """No process and no socket is left but those that wait for the next job."""
        _until(lambda: not self._left(), "the end of what is left", self._left)

    def _left(self) -> list[str]:
        there = self._living()
        left = [str(victim) for victim in there if victim.job is not None]
        known = {victim.process.pid for victim in there}
        servers = {victim.process.pid for victim in there if "fork server" in victim.role}
        for process in self._processes():
            with contextlib.suppress(psutil.Error):
                ancestors = {parent.pid for parent in process.parents()}
                if process.pid not in known and not ancestors & (
                    servers | known - {self._server.process.pid}
                ):
                    left.append(
                        f"process {process.pid}: {' '.join(process.cmdline())[:200]} {process.name()}"
                    )
        # A spare has a folder, as long as it waits.
        folders = {path.name for path in self.place.runtime.glob("mlws/*/mlws-k*")}
        folders |= {path.name for path in self.place.runtime.glob("mlws-k*")}
        of_kernels = {victim.process.pid for victim in there if victim.role == "kernel fork server"}
        spares = sum(len(psutil.Process(pid).children()) for pid in of_kernels if psutil.pid_exists(pid))
        if len(folders) > spares:
            left.append(f"{len(folders)} folders of kernels, {spares} spares: {sorted(folders)}")
        return left

    def _processes(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                ours = process.environ().get(MARK) == str(self.place.root)
                if ours and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found


def _about(client: httpx.Client, id: str) -> str:
    return client.get(f"/jobs/{id}").text


def _begun(client: httpx.Client, id: str) -> list[Any]:
    """The attempts of a job, without those that a server did not live to begin: they are made anew."""
    attempts = client.get(f"/jobs/{id}/attempts").json()["attempts"]
    return [each for each in attempts if (each["error"] or {}).get("code") != NEVER_BEGAN]


def _until(condition: Callable[[], Any], what: str, now: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + _PATIENCE
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} did not come; now: {now()}"
        time.sleep(0.05)
    return value
