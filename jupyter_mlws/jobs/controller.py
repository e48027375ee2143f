"""The jobs' part of the reconcile loop: what it does at each step, and in which order."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from jupyter_mlws.compute.roster import Computes
from jupyter_mlws.jobs.adoption import Adoption
from jupyter_mlws.jobs.ending import Finisher
from jupyter_mlws.jobs.launch import Launcher
from jupyter_mlws.jobs.recording import Recorder
from jupyter_mlws.jobs.records import JobRecords
from jupyter_mlws.jobs.roster import Roster
from jupyter_mlws.jobs.run_mirror import RunMirror
from jupyter_mlws.jobs.shipping import Shipping
from jupyter_mlws.jobs.starting import Starter
from jupyter_mlws.jobs.watching import Watcher
from jupyter_mlws.jobs.wishes import Wishes
from jupyter_mlws.store.blobs import Blobs
from jupyter_mlws.store.layout import Layout

_SWEEP_SECONDS = 3600.0
_ALL_SECONDS = 1.0  # between looks at everything, whoever rings meanwhile
_log = logging.getLogger(__name__)


class JobController:
    """Leads the jobs of one workspace."""

    def __init__(
        self,
        *,
        records: JobRecords,
        layout: Layout,
        blobs: Blobs,
        computes: Computes,
        launcher: Launcher,
        recorder: Recorder,
        shipping: Shipping,
        ring: Callable[[str], None],
    ) -> None:
        """`ring` makes the loop look at a job again at once."""
        self._roster = roster = Roster(records, ring=ring)
        self._shipping = shipping
        mirror = RunMirror(roster)
        finisher = Finisher(roster=roster, blobs=blobs, recorder=recorder, mirror=mirror, shipping=shipping)
        self._adoption = Adoption(roster=roster, layout=layout, blobs=blobs, finisher=finisher)
        self._watcher = Watcher(roster=roster, finisher=finisher, mirror=mirror)
        self._wishes = Wishes(roster=roster, layout=layout)
        self._starter = Starter(
            roster=roster,
            layout=layout,
            computes=computes,
            launcher=launcher,
            recorder=recorder,
            finisher=finisher,
        )
        self._sweeping: asyncio.Task[None] | None = None
        self._looked_at_all = 0.0
        self._held: set[str] = set()
        """Jobs that held slots after the last step."""

    async def take_over(self, epoch: int) -> None:
        """Adopt every attempt that the database believes to be under way."""
        self._roster.epoch = epoch
        self._looked_at_all = 0.0
        await self._adoption.adopt_all()
        self._shipping.start(epoch)
        self._sweeping = asyncio.create_task(self._sweep())

    async def step(self, rung: frozenset[str]) -> None:
        """Mend what differs between the wishes, the rows, the logs and the processes."""
        everything = not rung or time.monotonic() - self._looked_at_all > _ALL_SECONDS
        if everything:
            self._looked_at_all = time.monotonic()
        followed = [each for each in self._roster if everything or each.id in rung]
        # A job whose log grew rings itself; whoever else rings was submitted, changed, or has ended.
        others = any(id not in self._roster for id in rung)
        await self._wishes.settle()
        await asyncio.gather(*map(self._watcher.look, followed))
        held = {each.id for each in self._roster if each.holds_slots}
        freed, self._held = self._held - held, held
        if everything or others or freed:
            await self._starter.start_waiting(tell=everything)

    async def let_go(self) -> None:
        """Follow nothing more; workers run on."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        self._wishes.let_go()
        await self._shipping.let_go()
        for following in self._roster:
            self._roster.drop(following)

    async def _sweep(self) -> None:
        while True:
            try:
                await self._adoption.sweep()
            except Exception:  # what is left behind costs space alone
                _log.warning("What nobody needs any more could not be removed.", exc_info=True)
            await asyncio.sleep(_SWEEP_SECONDS)
