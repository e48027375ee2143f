"""Waits for a kernel's first answer, and says in words why none came."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Mapping
from typing import Any

from jupyter_mlws.kernels.driver import Kernel, KernelStartFailed
from jupyter_mlws.model.job import KernelChoice
from jupyter_mlws.worker.conversation import Conversation

_SECONDS = 120.0
_LAST_WORDS = 2000


async def kernel_info(talk: Conversation) -> Mapping[str, Any]:
    """Return what the kernel says of itself. Raises TimeoutError (after two minutes), KernelDied, Stopped."""
    async with asyncio.timeout(_SECONDS):
        return await talk.ready()


def start_failure(kernel: Kernel, choice: KernelChoice) -> KernelStartFailed:
    """Return the error for a kernel that ended, or does not answer; with the end of what it wrote."""
    if (epitaph := kernel.epitaph()) is not None:
        return KernelStartFailed(epitaph.message, hint=epitaph.hint, code=epitaph.code)
    name = choice.executable or choice.name or "python3"
    words = kernel.last_words()[-_LAST_WORDS:]
    exit_code = kernel.exit_code()
    what = f"did not answer within {_SECONDS:g} seconds"
    if exit_code is not None:
        what = f"ended at its start with exit code {exit_code}"
    if not words:
        start = ["jupyter", "kernel", f"--kernel={name}"]
        if choice.executable:
            start = [name, "-m", "ipykernel_launcher"]
        return KernelStartFailed(
            f"The kernel {name!r} {what}, and wrote nothing.",
            hint=f"Start it in a terminal to see why: {shlex.join(start)}",
        )
    hint = f"It wrote:\n{words}"
    if "No module named ipykernel" in words or "No module named 'ipykernel" in words:
        hint = f"Install ipykernel there: {name} -m pip install ipykernel"
    return KernelStartFailed(f"The kernel {name!r} {what}: {words.splitlines()[-1]}", hint=hint)
