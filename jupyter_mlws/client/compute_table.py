"""What a table, and a page, says of computes; every door shows the same."""

from __future__ import annotations

from jupyter_mlws.client import wording
from jupyter_mlws.model.compute import Compute, ComputeCheck, ComputeState, Guarantees

FIGURES = ("slots", "CPUs", "memory", "GPUs", "running", "queued", "$/h")
HEADS = ("name", "type", "state", *FIGURES)
_SHAPES = {ComputeState.READY: "✓", ComputeState.UNREACHABLE: "✕", ComputeState.UNCHECKED: "○"}
_NOT_COUNTED = "–"


def state(compute: Compute) -> str:
    """Return shape and word, and when it was last looked at: `✕ unreachable, 3 h ago`."""
    looked = f", {wording.ago(compute.checked_at)}" if compute.checked_at else ""
    return f"{_SHAPES[compute.state]} {compute.state.value}{looked}"


def cells(compute: Compute) -> tuple[str, ...]:
    """Return what the table says of a compute, under `HEADS`."""
    used, whole = compute.in_use, compute.capacity
    if whole.slots is None:
        amounts = (
            _NOT_COUNTED,
            f"{used.cpus:g} / {whole.cpus:g}",
            f"{wording.size(used.memory)} / {wording.size(whole.memory)}",
            f"{used.gpus} / {whole.gpus}",
        )
    else:
        amounts = (f"{used.slots or 0} / {whole.slots}", _NOT_COUNTED, _NOT_COUNTED, _NOT_COUNTED)
    return (
        compute.name,
        compute.type,
        state(compute),
        *amounts,
        str(compute.jobs_running),
        str(compute.jobs_queued),
        f"{compute.price_per_hour:g}",
    )


def in_use(compute: Compute) -> str:
    """Return how much is in use, in a line: `1 of 2 slots in use`, or CPUs and memory."""
    used, whole = compute.in_use, compute.capacity
    if whole.slots is not None:
        return f"{used.slots or 0} of {whole.slots} {'slot' if whole.slots == 1 else 'slots'} in use"
    memory = f"{wording.size(used.memory)} of {wording.size(whole.memory)} reserved"
    gpus = f", {used.gpus} of {whole.gpus} GPUs" if whole.gpus else ""
    return f"{used.cpus:g} of {whole.cpus:g} CPUs, {memory}{gpus}"


def facts(compute: Compute) -> list[tuple[str, str]]:
    """Return everything that is known of a compute, as pairs of a word and a text."""
    made = compute.created_at
    found = [
        ("type", compute.type),
        ("state", state(compute)),
        ("", (compute.check.message or "") if compute.check else ""),
        ("url", compute.url or ""),
        ("token", "kept, never shown" if compute.has_token else "none" if compute.url else ""),
        *_of_check(compute.check),
        ("runs with", f"kernel {compute.kernel}" if compute.kernel else ""),
        ("in use", in_use(compute)),
        ("jobs", f"{compute.jobs_running} running, {compute.jobs_queued} queued"),
        ("price", f"{wording.money(compute.price_per_hour)} an hour"),
        ("made", f"{made.astimezone():%Y-%m-%d %H:%M:%S} by {compute.created_by}" if made else ""),
    ]
    found += [
        ("guarantees" if number == 0 else "", text)
        for number, text in enumerate(promises(compute.guarantees))
    ]
    return [(word, text) for word, text in found if text]


def found(check: ComputeCheck) -> list[tuple[str, str]]:
    """Return what a look at a compute found, as pairs of a word and a text."""
    looked = ComputeState.READY if check.reachable else ComputeState.UNREACHABLE
    pairs = [
        ("state", f"{_SHAPES[looked]} {looked.value}"),
        ("", check.message or ""),
        *_of_check(check),
        ("answered in", "" if check.latency is None else f"{check.latency * 1000:.0f} ms"),
    ]
    return [(word, text) for word, text in pairs if text]


def promises(guarantees: Guarantees) -> list[str]:
    """Return what a compute guarantees and what it does not, in words."""
    rate = guarantees.output_rate
    return [
        "a job above its memory limit is ended" if guarantees.memory_limit else "no memory limits",
        "all processes of a job end with it"
        if guarantees.kill
        else "processes that a job started may outlive it there",
        "jobs go on while no Jupyter server of the workspace runs"
        if guarantees.survives_server
        else "jobs end with the Jupyter server of the workspace",
        "jobs run in the notebook's own folder"
        if guarantees.live_folder
        else "jobs run in a copy of the folder",
        "all output is kept"
        if rate is None
        else f"output above {wording.size(int(rate))} a second may be lost",
    ]


def _of_check(check: ComputeCheck | None) -> list[tuple[str, str]]:
    if check is None:
        return []
    return [
        ("server", check.server or ""),
        ("Python", check.python or ""),
        ("kernels", wording.shorten(", ".join(check.kernels), 300)),
    ]
