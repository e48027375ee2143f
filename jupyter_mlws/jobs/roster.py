"""The attempts that the leading server follows, and the one way in which it writes what it knows of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from jupyter_mlws.compute.slots import asked, total
from jupyter_mlws.jobs.following import Following
from jupyter_mlws.jobs.progress import Progress
from jupyter_mlws.jobs.records import JobRecords, meanwhile
from jupyter_mlws.model.compute import Capacity


class Roster:
    """What is followed, by the job's id; all writes carry the epoch of this server's lead."""

    def __init__(self, records: JobRecords, *, ring: Callable[[str], None]) -> None:
        """`ring` makes the loop look at a job again at once."""
        self.records = records
        self.ring = ring
        self.epoch = 0
        self._followed: dict[str, Following] = {}

    def __iter__(self) -> Iterator[Following]:
        return iter(list(self._followed.values()))

    def __contains__(self, id: str) -> bool:
        return id in self._followed

    def find(self, id: str) -> Following | None:
        """Return the attempt of a job that is followed."""
        return self._followed.get(id)

    def add(self, following: Following) -> None:
        """Follow an attempt, for as long as this lead lasts."""
        following.epoch = self.epoch
        self._followed[following.id] = following

    def drop(self, following: Following) -> None:
        """Follow an attempt no more; its processes are left alone."""
        following.close()
        if self._followed.get(following.id) is following:
            del self._followed[following.id]

    def taken(self, compute: str, *, of: Capacity) -> Capacity:
        """Return what the attempts that are followed take of a compute that holds `of`."""
        return total(
            asked(each.progress.job.spec.resources, of=of)
            for each in self
            if each.progress.job.spec.compute == compute and each.holds_slots
        )

    def taken_gpus(self, compute: str) -> set[int]:
        """Return the numbers of the devices of a compute that are in use."""
        return {
            gpu
            for each in self
            if each.progress.job.spec.compute == compute and each.holds_slots
            for gpu in each.progress.attempt.gpus
        }

    async def save(self, following: Following, progress: Progress) -> None:
        """Write what is known of an attempt now. Raises `LeaseLost`, and the errors of the store."""
        # What is seen is kept in memory first: tasks beside this one build upon it. Writes take turns,
        # and each writes the newest, so that none is overtaken by an older one.
        following.progress = progress
        async with following.writing:
            progress = following.progress
            attempt = None if progress.attempt == following.stored_attempt else progress.attempt
            stored = await self.records.save(progress.job, attempt, epoch=following.epoch)
            following.stored_attempt = progress.attempt
        if stored is not None:
            job = following.progress.job.model_copy(update=meanwhile(stored))
            following.progress = replace(following.progress, job=job)

    async def change(self, following: Following, **changes: object) -> None:
        """Write changed fields of the job. Raises as `save`."""
        job = following.progress.job.model_copy(update=changes)
        await self.save(following, replace(following.progress, job=job))
