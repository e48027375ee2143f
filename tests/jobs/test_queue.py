from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlws.compute.slots import asked, full, lacking, total
from jupyter_mlws.jobs.queue import choose
from jupyter_mlws.model.compute import Capacity
from jupyter_mlws.model.job import Job, Priority
from tests.jobs.making import make_job


def free(cpus: float = 2, gpus: int = 0) -> dict[str, Capacity]:
    return {"local": Capacity(cpus=cpus, memory=8 * 2**30, gpus=gpus)}


def test_the_older_job_starts_first() -> None:
    late, early = make_job(minute=2), make_job(minute=1)
    assert choose([late, early], free(cpus=1)).start == [early]


def test_what_is_left_has_no_room_once_somebody_waits_for_it() -> None:
    jobs = [make_job(minute=minute) for minute in range(3)]
    assert full(choose(jobs, free(cpus=2.5)).left["local"])
    assert not full(choose(jobs, free(cpus=3.5)).left["local"])
    assert full(Capacity(cpus=0, memory=0, slots=0)) and not full(Capacity(cpus=0, memory=0, slots=1))


def test_priority_goes_before_age() -> None:
    old, urgent = make_job(minute=1), make_job(minute=2, priority=Priority.HIGH)
    low = make_job(minute=0, priority=Priority.LOW)
    assert choose([low, old, urgent], free(cpus=3)).start == [urgent, old, low]


def test_a_large_job_is_not_overtaken_for_ever() -> None:
    large, small = make_job(minute=1, cpus=2), make_job(minute=2)
    choice = choose([large, small], free(cpus=1))
    assert choice.start == []
    assert choice.waiting[large.id] == "Waits for 2 cpus (1 free)"


def test_a_job_waiting_for_a_gpu_does_not_hold_up_the_others() -> None:
    needs_gpu, plain = make_job(minute=1, gpus=1), make_job(minute=2)
    choice = choose([needs_gpu, plain], free(cpus=2, gpus=0))
    assert choice.start == [plain]
    assert choice.waiting[needs_gpu.id] == "Waits for 1 gpu (0 free)"


def test_an_unknown_compute_is_named() -> None:
    job = make_job(compute="lab2")
    assert choose([job], free()).waiting == {job.id: "Waits for the compute lab2, which is not there"}


jobs = st.builds(
    make_job,
    minute=st.integers(0, 5),
    cpus=st.sampled_from([0.5, 1, 2, 4]),
    gpus=st.integers(0, 2),
    priority=st.sampled_from(list(Priority)),
)


@given(st.lists(jobs, max_size=12), st.sampled_from([0.5, 1, 2, 8]), st.integers(0, 3))
def test_never_more_is_started_than_there_is(queued: list[Job], cpus: float, gpus: int) -> None:
    has = free(cpus, gpus)["local"]
    choice = choose(queued, {"local": has})
    assert lacking(total(asked(job.spec.resources) for job in choice.start), has) == []
    assert {job.id for job in choice.start} | set(choice.waiting) == {job.id for job in queued}
