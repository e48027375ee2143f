"""The epoch of the lease, checked in the transaction of each write of the leader."""

from __future__ import annotations

import sqlalchemy as sa

from jupyter_mlws.model.errors import NotReady
from jupyter_mlws.store.tables import leases

LEADER = "leader"
"""Name of the one lease."""
_EPOCH = sa.select(leases.c.epoch).where(leases.c.name == LEADER)


class LeaseLost(NotReady):
    """Another server has taken the lead; what was about to be written is void."""

    code = "lease_lost"


def check(connection: sa.Connection, epoch: int) -> None:
    """Raise `LeaseLost` unless the lease has this epoch; in the transaction of the write that it guards."""
    found = connection.execute(_EPOCH).scalar_one_or_none()
    if found != epoch:
        raise LeaseLost(
            f"This server led the workspace with epoch {epoch}; the lease has epoch {found or 0} now.",
            hint="Another server leads; nothing was written.",
        )
