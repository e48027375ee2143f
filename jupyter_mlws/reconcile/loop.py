"""The reconcile loop: waits for the lease, then lets controllers mend what differs, woken by the doorbell."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError

from jupyter_mlws.model.errors import MlwsError
from jupyter_mlws.reconcile.doorbell import Doorbell
from jupyter_mlws.reconcile.leadership import Leadership
from jupyter_mlws.store.epoch import LeaseLost

_SWEEP_SECONDS = 1.0
# Between two steps: as long as a step takes, so that half of the time is for others; and where nobody is in a
# hurry, so that a job that writes much is not read line by line.
_LONGEST_REST = _PATIENCE = 0.05
_log = logging.getLogger(__name__)


class Controller(Protocol):
    """Mends the difference between what is wanted and what is, for one noun."""

    async def take_over(self, epoch: int) -> None:
        """Begin to lead: adopt what lives. `epoch` goes into each write."""

    async def step(self, rung: frozenset[str]) -> None:
        """Mend what differs; `rung` names what is known to have changed, nothing when it is time to look."""

    async def let_go(self) -> None:
        """Lead no more: leave everything as it is, for the next leader."""


class ReconcileLoop:
    """Runs controllers while this server leads."""

    def __init__(
        self, *, leadership: Leadership, doorbell: Doorbell, controllers: Sequence[Controller]
    ) -> None:
        self._leadership = leadership
        self._doorbell = doorbell
        self._controllers = controllers
        self._task: asyncio.Task[None] | None = None

    @property
    def leads(self) -> bool:
        """Whether this server leads now."""
        return self._leadership.epoch is not None

    def start(self) -> None:
        """Begin, on the running event loop."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop; jobs run on, and the lease is given back."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._let_go()
        await self._leadership.close()

    async def _run(self) -> None:
        while True:
            epoch = await self._leadership.gain()
            try:
                await self._lead(epoch)
            except LeaseLost:
                _log.warning("The lease of epoch %s is lost; another server leads.", epoch)
            except Exception:
                # A mistake of ours must not leave the workspace without a leader: begin anew from the
                # database and the folders, which hold everything.
                _log.exception("The reconcile loop begins anew after an error.")
                await asyncio.sleep(_SWEEP_SECONDS)
            finally:
                await self._let_go()
            await self._leadership.close()

    async def _lead(self, epoch: int) -> None:
        try:
            self._doorbell.listen()
        except OSError as error:
            # It only makes things quicker: the loop looks by itself once a second.
            _log.warning("The doorbell cannot be heard: %s", error)
        for controller in self._controllers:
            await controller.take_over(epoch)
        rung: frozenset[str] = frozenset()
        while self._leadership.epoch == epoch:
            began = time.monotonic()
            for controller in self._controllers:
                await self._step(controller, rung)
            took = time.monotonic() - began
            rung = await self._doorbell.wait(
                _SWEEP_SECONDS, rest=min(took, _LONGEST_REST), patience=_PATIENCE
            )

    async def _step(self, controller: Controller, rung: frozenset[str]) -> None:
        try:
            await controller.step(rung)
        except LeaseLost:
            raise
        except (MlwsError, SQLAlchemyError) as error:
            # Locked, or its disk is full: nothing is lost, the next step sees the same difference.
            _log.warning("The database does not answer: %s", error)
            await asyncio.sleep(_SWEEP_SECONDS)

    async def _let_go(self) -> None:
        self._doorbell.close()
        for controller in self._controllers:
            await controller.let_go()
