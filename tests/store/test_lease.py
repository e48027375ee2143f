from __future__ import annotations

import pytest

from jupyter_mlws.store import audit, jobs, lease, outbox
from jupyter_mlws.store.database import Database
from jupyter_mlws.store.epoch import LeaseLost

LONG = 3600.0
SHORT = 0.2


def test_one_owner_at_a_time_and_a_greater_epoch_for_each(db):
    first = lease.acquire(db, "a", "here", ttl=LONG)
    assert first == 1
    assert lease.acquire(db, "a", "here", ttl=LONG) == first
    assert lease.acquire(db, "b", "here", ttl=LONG) is None
    lease.renew(db, "a", first)
    lease.release(db, "a", first)
    assert lease.acquire(db, "b", "here", ttl=LONG) == 2
    with db.read() as tx:
        holder = lease.holder(tx)
    assert holder is not None
    assert (holder.owner, holder.host, holder.epoch, holder.is_live) == ("b", "here", 2, True)


def test_before_the_first_lease_no_epoch_is_right(db):
    with db.read() as tx:
        assert lease.holder(tx) is None
    with pytest.raises(LeaseLost, match="epoch 0 now"), db.write(1):
        pytest.fail("nobody leads")


def test_another_machine_is_refused_with_a_sentence(db):
    lease.acquire(db, "a", "desk-7", ttl=LONG)
    with pytest.raises(lease.OtherHost) as caught:
        lease.acquire(db, "b", "laptop", ttl=LONG)
    assert "desk-7" in str(caught.value)
    assert "laptop" in str(caught.value)
    assert caught.value.status == 503


def test_another_machine_may_lead_when_the_lease_has_run_out(db, wait_for):
    lease.acquire(db, "a", "desk-7", ttl=SHORT)

    def taken() -> int | None:
        try:
            return lease.acquire(db, "b", "laptop", ttl=LONG)
        except lease.OtherHost:
            return None

    assert wait_for(taken) == 2


def test_a_leader_that_was_away_too_long_writes_nothing(db, layout, make_job, wait_for):
    job, other = make_job(), make_job()
    old = lease.acquire(db, "a", "here", ttl=SHORT)
    rival = Database.open(layout)
    new = wait_for(lambda: lease.acquire(rival, "b", "here", ttl=LONG))
    assert new > old
    with pytest.raises(LeaseLost, match=f"epoch {old}.*epoch {new}"), db.write(old) as tx:
        jobs.insert(tx, job)
    with pytest.raises(LeaseLost):
        lease.renew(db, "a", old)
    lease.release(db, "a", old)
    with rival.write(new) as tx:
        jobs.insert(tx, other)
    with db.read() as tx:
        assert jobs.find(tx, job.id) is None
        assert [change.id for change in outbox.read(tx, 0)] == [other.id]
    rival.close()


def test_an_epoch_alone_is_not_the_lease(db):
    epoch = lease.acquire(db, "a", "here", ttl=LONG)
    with pytest.raises(LeaseLost, match="b does not lead"):
        lease.renew(db, "b", epoch)


def test_a_clock_that_was_set_back_does_not_keep_the_lease_for_ever(db):
    lease.acquire(db, "a", "here", ttl=10)
    with db.write() as tx:
        tx.connection.exec_driver_sql("UPDATE leases SET renewed_at = renewed_at + 3600 * 1000000")
    assert lease.acquire(db, "b", "here", ttl=10) == 2


def test_processes_that_contend_never_lead_together(db, start_python):
    source = """
import os
from jupyter_mlws.store import audit, lease, workspaces
from jupyter_mlws.store.database import Database
from jupyter_mlws.store.epoch import LeaseLost
db = Database.open(workspaces.resolve())
owner, led = str(os.getpid()), 0
while led < 20:
    epoch = lease.acquire(db, owner, "here", ttl=3600)
    if epoch is None:
        continue
    led += 1
    for step in ("began", "ended"):
        with db.write(epoch) as tx:
            audit.record(tx, owner, step, "lead", str(epoch))
    lease.release(db, owner, epoch)
"""
    for process in [start_python(source) for _ in range(2)]:
        assert process.communicate()[1] == ""
    with db.read() as tx:
        entries = audit.page(tx, limit=500).entries[::-1]
    # Each epoch has one owner, who began and ended before the next began.
    assert [entry.action for entry in entries] == ["began", "ended"] * 40
    assert [int(entry.id) for entry in entries] == [epoch for epoch in range(1, 41) for _ in range(2)]
    assert all(began.who == ended.who for began, ended in zip(entries[::2], entries[1::2], strict=True))


def test_the_lead_is_free_soon_after_its_holder_was_killed(db, start_python, wait_for):
    process = start_python(
        """
from jupyter_mlws.store import lease, workspaces
from jupyter_mlws.store.database import Database
from jupyter_mlws.store.epoch import LeaseLost
print(lease.acquire(Database.open(workspaces.resolve()), "a", "here", ttl=1), flush=True)
input()
"""
    )
    assert process.stdout.readline() == "1\n", process.communicate()[1]
    process.kill()
    process.wait()
    assert wait_for(lambda: lease.acquire(db, "b", "here", ttl=LONG), 30) == 2
