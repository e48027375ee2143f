"""The rows of jobs, from the event loop: calls run in threads, the leader's writes under its epoch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TypeVar

from jupyter_mlws.model.job import Attempt, Job
from jupyter_mlws.model.status import JobStatus
from jupyter_mlws.store import jobs as rows
from jupyter_mlws.store.database import Database
from jupyter_mlws.store.transaction import Transaction

T = TypeVar("T")


class JobRecords:
    """Reads and writes jobs; `changed` is called after each write."""

    def __init__(self, database: Database, *, changed: Callable[[], None]) -> None:
        self._database = database
        self._changed = changed

    async def read(self, action: Callable[[Transaction], T]) -> T:
        """Run `action` in a read transaction."""

        def run() -> T:
            with self._database.read() as transaction:
                return action(transaction)

        return await asyncio.to_thread(run)

    async def write(
        self, action: Callable[[Transaction], T], *, epoch: int | None = None, durable: bool = False
    ) -> T:
        """Run `action` in a write transaction, on the disk at the end if `durable`.

        With an `epoch`, raises `LeaseLost` if another leads by now.
        """

        def run() -> T:
            with self._database.write(epoch, durable=durable) as transaction:
                return action(transaction)

        result = await asyncio.to_thread(run)
        self._changed()
        return result

    async def save(
        self, job: Job, attempt: Attempt | None, *, epoch: int, new_attempt: bool = False
    ) -> Job | None:
        """Write what the leader knows of a job and of its attempt, unless None; return the job as stored.

        What others may change meanwhile stays; see `store.jobs.save_progress`. None when the row is gone.
        """

        def run(transaction: Transaction) -> Job | None:
            stored = rows.save_progress(transaction, job)
            if stored is None or attempt is None:
                return stored
            if new_attempt:
                rows.insert_attempt(transaction, job.id, attempt)
            else:
                rows.save_attempt(transaction, job.id, attempt)
            return stored

        return await self.write(run, epoch=epoch)

    async def change_queued(self, changes: Mapping[str, Mapping[str, object]], *, epoch: int) -> None:
        """Change jobs that wait, by their ids; those that do not wait any more stay as they are."""

        def run(transaction: Transaction) -> None:
            for id, fields in changes.items():
                stored = rows.find(transaction, id)
                if stored is not None and stored.status is JobStatus.QUEUED:
                    rows.save(transaction, stored.model_copy(update=dict(fields)))

        await self.write(run, epoch=epoch)


def meanwhile(stored: Job) -> dict[str, object]:
    """Return what of a stored job is newer than what the leader knows."""
    return {"wanted": stored.wanted, "spec": stored.spec, "has_snapshot": stored.has_snapshot}
