from __future__ import annotations

from jupyter_mlws.compute.slots import asked, lacking, less, total
from jupyter_mlws.model.compute import Capacity
from jupyter_mlws.model.job import Resources

GB = 2**30


def test_a_job_without_a_memory_limit_books_none() -> None:
    assert asked(Resources(cpus=2, gpus=1)) == Capacity(cpus=2, memory=0, gpus=1)


def test_what_is_left_is_never_negative() -> None:
    left = less(Capacity(cpus=1, memory=GB), Capacity(cpus=2, memory=2 * GB, gpus=1))
    assert left == Capacity(cpus=0, memory=0, gpus=0)


def test_total_of_nothing_is_nothing() -> None:
    assert total([]) == Capacity(cpus=0, memory=0)


def test_lacking_names_each_thing_with_what_is_free() -> None:
    ask = Capacity(cpus=3, memory=4 * GB, gpus=2)
    assert lacking(ask, Capacity(cpus=1, memory=GB, gpus=0)) == [
        "3 cpus (1 free)",
        "4 GB of memory (1 GB free)",
        "2 gpus (0 free)",
    ]


def test_tenths_of_cpus_add_up_to_one() -> None:
    left = Capacity(cpus=1, memory=0)
    for _ in range(10):
        assert lacking(Capacity(cpus=0.1, memory=0), left) == []
        left = less(left, Capacity(cpus=0.1, memory=0))
