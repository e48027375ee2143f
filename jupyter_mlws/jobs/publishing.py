"""Tells a server what changed: tails the outbox, and passes on what is new of each thing."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from jupyter_mlws.jobs.records import JobRecords
from jupyter_mlws.model.errors import MlwsError
from jupyter_mlws.model.events import Change
from jupyter_mlws.store import outbox

_LONGEST_REST = 0.05  # after a look, as long as it took: half of the time is for others
_LOOK_SECONDS = 0.5  # another server's writes do not wake this one
_KEPT = 10_000
_TRIM_EVERY = 2_000
_log = logging.getLogger(__name__)


def newest(changes: list[Change]) -> list[Change]:
    """Return the last change of each thing, in the order of their sequence."""
    last = {(change.noun, change.id): change for change in changes}
    return sorted(last.values(), key=lambda change: change.sequence)


class Publisher:
    """Calls back with what changed, whoever changed it; every server has one."""

    def __init__(self, records: JobRecords, publish: Callable[[list[Change]], None]) -> None:
        """`publish` is called on the event loop."""
        self._records = records
        self._publish = publish
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Look at once; on the event loop."""
        self._woken.set()

    async def start(self) -> None:
        """Begin with what changes from now on."""
        last = await self._records.read(outbox.last)
        self._task = asyncio.create_task(self._run(last))

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, after: int) -> None:
        passed = 0
        while True:
            began = time.monotonic()
            try:
                changes = await self._records.read(partial(outbox.read, after=after))
                if changes:
                    after = changes[-1].sequence
                    self._publish(newest(changes))
                    passed += len(changes)
                if passed >= _TRIM_EVERY:
                    passed = 0
                    await self._records.write(lambda tx: outbox.trim(tx, _KEPT))
            except (MlwsError, SQLAlchemyError) as error:
                _log.warning("Changes cannot be read now: %s", error)
            except Exception:
                _log.exception("A change could not be passed on.")
            rest = min(time.monotonic() - began, _LONGEST_REST)
            # Not wait_for: before Python 3.12 it can swallow the cancellation that ends the loop.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._woken.wait()
            await asyncio.sleep(rest)
            self._woken.clear()
