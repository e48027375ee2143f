"""Arithmetic of what a compute holds, what jobs take of it, and what is left. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from jupyter_mlws.model.compute import Capacity
from jupyter_mlws.model.job import Resources
from jupyter_mlws.model.sizes import size

_NOTHING = 1e-9  # CPUs; sums of fractions are not exact


def asked(resources: Resources, *, of: Capacity | None = None) -> Capacity:
    """Return what a job takes of a compute that holds `of`; without a memory limit it books no memory.

    Where jobs are counted it takes one slot, whatever it asks for.
    """
    if of is not None and of.slots is not None:
        return Capacity(cpus=0, memory=0, slots=1)
    return Capacity(cpus=resources.cpus, memory=resources.memory or 0, gpus=resources.gpus)


def total(shares: Iterable[Capacity]) -> Capacity:
    """Return the sum of `shares`."""
    cpus, memory, gpus = 0.0, 0, 0
    slots: int | None = None
    for share in shares:
        cpus, memory, gpus = cpus + share.cpus, memory + share.memory, gpus + share.gpus
        if share.slots is not None:
            slots = (slots or 0) + share.slots
    return Capacity(cpus=cpus, memory=memory, gpus=gpus, slots=slots)


def less(whole: Capacity, share: Capacity) -> Capacity:
    """Return what is left of `whole` without `share`, never below zero."""
    return Capacity(
        cpus=max(0.0, whole.cpus - share.cpus),
        memory=max(0, whole.memory - share.memory),
        gpus=max(0, whole.gpus - share.gpus),
        slots=None if whole.slots is None else max(0, whole.slots - (share.slots or 0)),
    )


def full(left: Capacity) -> bool:
    """Whether no job at all fits into what is left: each asks for some CPU, or for a slot."""
    return left.slots == 0 if left.slots is not None else left.cpus <= _NOTHING


def lacking(ask: Capacity, free: Capacity) -> list[str]:
    """Return what `free` is short of for `ask`, in words such as `2 cpus (1 free)`; empty when it fits."""
    short = []
    if free.slots is not None and (ask.slots or 0) > free.slots:
        short.append(f"{ask.slots} slot ({free.slots} free)")
    if ask.cpus > free.cpus + _NOTHING:
        short.append(f"{ask.cpus:g} {_cpus(ask.cpus)} ({free.cpus:g} free)")
    if ask.memory > free.memory:
        short.append(f"{size(ask.memory)} of memory ({size(free.memory)} free)")
    if ask.gpus > free.gpus:
        short.append(f"{ask.gpus} {'gpu' if ask.gpus == 1 else 'gpus'} ({free.gpus} free)")
    return short


def _cpus(number: float) -> str:
    return "cpu" if number == 1 else "cpus"
