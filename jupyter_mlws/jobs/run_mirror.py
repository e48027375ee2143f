"""The metrics and parameters of an attempt that is followed, mirrored from its spool into the database."""

from __future__ import annotations

import asyncio
import time

from jupyter_mlws.jobs.following import Following
from jupyter_mlws.jobs.latest_values import LatestValues
from jupyter_mlws.jobs.log import read_lines
from jupyter_mlws.jobs.roster import Roster
from jupyter_mlws.store import run_values
from jupyter_mlws.tracking.spool import RECORDS

_SECONDS = 0.5  # between two looks
_PIECE_BYTES = 4 << 20


class RunMirror:
    """Keeps a job and its run alike while the attempt goes on. MLflow is not asked."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster

    def look(self, following: Following) -> None:
        """Read what was logged since, beside everything else, if that was not done just now."""
        if following.progress.job.run_id is None or time.monotonic() - following.mirrored < _SECONDS:
            return
        if following.mirroring is None or following.mirroring.done():
            following.mirrored = time.monotonic()
            following.mirroring = following.beside.do(self._look(following))

    async def finish(self, following: Following) -> dict[str, float | None]:
        """Read all that was logged; return the latest metrics. Raises the errors of the store."""
        if following.mirroring is not None:
            await asyncio.wait({following.mirroring})
        values = await self._read(following)
        if values is None:
            return {}
        await self._save(following, values)
        return values.metrics

    async def _look(self, following: Following) -> None:
        values = await self._read(following)
        if values is not None and following.ending is None and following.values_changed:
            following.values_changed = False
            await self._save(following, values)
            if values.metrics != following.progress.job.metrics:
                await self._roster.change(following, metrics=values.metrics)

    async def _read(self, following: Following) -> LatestValues | None:
        run_id = following.progress.job.run_id
        if run_id is None:
            return None
        if following.values is None:
            following.values = LatestValues(run_id)
        values = following.values
        path = following.folder.files.spool / RECORDS
        while True:
            offset = values.offset
            lines, reached = await asyncio.to_thread(read_lines, path, offset=offset, limit=_PIECE_BYTES)
            if reached == offset:
                return values
            changed = await asyncio.to_thread(values.take, lines, offset=reached)
            following.values_changed = following.values_changed or changed

    async def _save(self, following: Following, values: LatestValues) -> None:
        metrics, params, id = values.metrics, dict(values.params), following.id
        await self._roster.records.write(
            lambda tx: run_values.save(tx, id, metrics=metrics, params=params), epoch=following.epoch
        )
