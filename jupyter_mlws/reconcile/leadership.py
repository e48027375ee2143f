"""One server leads: it holds the lease in the database, and renews it while it lives."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

from jupyter_mlws.model.errors import MlwsError
from jupyter_mlws.store.database import Database
from jupyter_mlws.store.epoch import LeaseLost
from jupyter_mlws.store.lease import acquire, release, renew

TTL = 10.0
"""Seconds that a lease lasts; after a leader's death another leads within this time."""
_RENEW = 3.0
_TRY = 1.0
_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class Leadership:
    """Tries for the lease, keeps it, and says when it is lost."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{os.urandom(4).hex()}"
        self.epoch: int | None = None
        """The epoch of the lease while this server leads."""
        self._keeper: asyncio.Task[None] | None = None

    async def gain(self) -> int:
        """Wait until this server leads, and return the epoch."""
        while True:
            epoch = await self._try(self._acquire)
            if epoch is not None:
                self.epoch = epoch
                self._keeper = asyncio.create_task(self._keep(epoch))
                return epoch
            await asyncio.sleep(_TRY)

    def lose(self) -> None:
        """Lead no more; the lease is another's already, or soon."""
        self.epoch = None
        if self._keeper is not None:
            self._keeper.cancel()
            self._keeper = None

    async def close(self) -> None:
        """Give the lease back, so that another can lead at once."""
        epoch = self.epoch
        self.lose()
        if epoch is not None:
            with contextlib.suppress(MlwsError, SQLAlchemyError):
                await asyncio.to_thread(release, self._database, self._owner, epoch)

    async def _keep(self, epoch: int) -> None:
        while self.epoch == epoch:
            await asyncio.sleep(_RENEW)
            try:
                await self._try(lambda: renew(self._database, self._owner, epoch))
            except LeaseLost:
                _log.warning("Another server leads this workspace now.")
                self.epoch = None

    def _acquire(self) -> int | None:
        return acquire(self._database, self._owner, socket.gethostname(), ttl=TTL)

    async def _try(self, action: Callable[[], _T]) -> _T | None:
        """Run `action` in a thread; a database that is locked or gone for a while is tried again."""
        try:
            return await asyncio.to_thread(action)
        except LeaseLost:
            raise
        except (MlwsError, SQLAlchemyError) as error:
            _log.warning("The lease could not be had: %s", error)
            return None
