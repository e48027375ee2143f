"""What a worker that waits for its job does meanwhile: it goes through the motions once.

Memory that a forked process touches for the first time is copied, page by page. Here that happens before
somebody waits for it.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from jupyter_mlws.model.job import JobKind, JobSpec
from jupyter_mlws.worker.conversation import Conversation
from jupyter_mlws.worker.executed_notebook import ExecutedNotebook
from jupyter_mlws.worker.program import program
from jupyter_mlws.worker.task import Task

_CHANNELS = ("shell", "iopub", "stdin", "hb", "control")


def warm_up() -> None:
    """Read a task, make its notebook, and begin a conversation with a kernel that is not there."""
    spec = JobSpec(kind=JobKind.CELL, name="warm", code="None", folder="/")
    text = Task(job="warm", attempt=1, spec=spec, cwd="/").model_dump_json()
    asyncio.run(_begin(Task.model_validate_json(text)))


async def _begin(task: Task) -> None:
    from jupyter_client.asynchronous.client import AsyncKernelClient

    code = program(task, None)
    with tempfile.TemporaryDirectory(prefix="mlws-w") as folder:
        client: Any = AsyncKernelClient()
        client.load_connection_info(
            {
                "transport": "ipc",
                "ip": str(Path(folder, "k")),
                "key": "warm",
                "signature_scheme": "hmac-sha256",
                **{f"{channel}_port": number for number, channel in enumerate(_CHANNELS, start=1)},
            }
        )
        talk = Conversation(client, spool=Path(folder), hear=_nothing, hold=lambda: False, tend=_tend)
        try:
            client.session.serialize(client.session.msg("execute_request", {"code": "None"}))
            ExecutedNotebook(code.notebook, path=Path(folder, "warm.ipynb"), client=client).write()
        finally:
            talk.close()


def _nothing(message: dict[str, Any], cell: int) -> None:
    pass


async def _tend() -> None:
    pass
