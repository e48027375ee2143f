"""One server of a workspace leads: a lease in the database, with an epoch that each of its writes checks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

import sqlalchemy as sa

from jupyter_mlws.model.errors import NotReady
from jupyter_mlws.store.database import Database
from jupyter_mlws.store.epoch import LEADER, LeaseLost
from jupyter_mlws.store.tables import leases
from jupyter_mlws.store.transaction import Transaction


class OtherHost(NotReady):
    """A server on another machine leads this workspace."""

    code = "other_host"


class Holder(NamedTuple):
    """Who holds the lease, or held it last."""

    owner: str
    host: str
    epoch: int
    renewed_at: datetime | None
    """None when it was released."""
    ttl: float
    """Seconds after `renewed_at` for which it holds."""

    @property
    def is_live(self) -> bool:
        """Whether it still holds. A renewal far in the future means that the clock was set back since."""
        if self.renewed_at is None:
            return False
        return abs((datetime.now(UTC) - self.renewed_at).total_seconds()) < self.ttl


def acquire(db: Database, owner: str, host: str, ttl: float = 10.0) -> int | None:
    """Take the lease if it is free and return its epoch, or None while another server of this host leads.

    `owner` names one server for as long as it lives, `host` its machine, and `ttl` is in seconds. An
    owner that holds the lease renews it and keeps its epoch. Each new owner gets a greater epoch.
    Raises `OtherHost` while a server of another machine leads.
    """
    with db.write() as tx:
        held = holder(tx)
        if held is not None and held.is_live and held.owner != owner:
            if held.host != host:
                raise OtherHost(
                    f"The workspace is in use by a server on the machine {held.host}; this one is {host}.",
                    hint="Work there, or stop that server: all servers of a workspace run on one machine.",
                )
            return None
        keeps = held is not None and held.is_live
        epoch = 1 if held is None else held.epoch + (not keeps)
        values = {"owner": owner, "host": host, "epoch": epoch, "renewed_at": datetime.now(UTC), "ttl": ttl}
        if held is None:
            tx.connection.execute(leases.insert().values(name=LEADER, **values))
        else:
            tx.connection.execute(leases.update().where(leases.c.name == LEADER).values(**values))
        return epoch


def renew(db: Database, owner: str, epoch: int) -> None:
    """Hold the lease for another `ttl`. Raises `LeaseLost` when somebody else took it meanwhile."""
    with db.write(epoch) as tx:
        changed = tx.connection.execute(
            leases.update()
            .where(leases.c.name == LEADER, leases.c.owner == owner, leases.c.epoch == epoch)
            .values(renewed_at=datetime.now(UTC))
        )
        if changed.rowcount != 1:
            raise LeaseLost(f"The server {owner} does not lead this workspace.")


def release(db: Database, owner: str, epoch: int) -> None:
    """Let the next server lead at once. Does nothing when the lease is no longer this one."""
    with db.write() as tx:
        tx.connection.execute(
            leases.update()
            .where(leases.c.name == LEADER, leases.c.owner == owner, leases.c.epoch == epoch)
            .values(renewed_at=None)
        )


def holder(tx: Transaction) -> Holder | None:
    """Return who leads or led last; None before the first."""
    row = tx.connection.execute(sa.select(leases).where(leases.c.name == LEADER)).one_or_none()
    if row is None:
        return None
    return Holder(owner=row.owner, host=row.host, epoch=row.epoch, renewed_at=row.renewed_at, ttl=row.ttl)
