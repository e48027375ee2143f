"""Our events on Jupyter's own event stream: something changed, and which notebook is it."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_events import EventLogger

    from jupyter_mlws.model.events import Change

CHANGE = "https://events.jupyter-mlws.org/change/v1"
NOTEBOOK_REQUEST = "https://events.jupyter-mlws.org/notebook-request/v1"
# An event takes some 0.4 ms, and 0.1 ms for each subscriber; in between, others have the event loop.
_AT_ONCE = 10

_SCHEMAS: tuple[dict[str, Any], ...] = (
    {
        "$id": CHANGE,
        "version": "1",
        "title": "Something in a workspace changed",
        "personal-data": False,
        "description": "Whoever shows the thing fetches it. Nothing is replayed: list after a reconnect.",
        "type": "object",
        "required": ["workspace", "noun", "id", "sequence"],
        "properties": {
            "workspace": {"type": "string", "description": "The workspace's id."},
            "noun": {"type": "string", "description": "What kind of thing, such as job."},
            "id": {"type": "string", "description": "Which one."},
            "status": {"type": ["string", "null"], "description": "Its status now."},
            "offset": {
                "type": ["integer", "null"],
                "description": "Bytes of its event log, where it has one.",
            },
            "sequence": {"type": "integer", "description": "Grows with each change of the workspace."},
        },
    },
    {
        "$id": NOTEBOOK_REQUEST,
        "version": "1",
        "title": "A kernel asks for its notebook as it stands on the screen",
        "personal-data": False,
        "description": "The browser that shows it sends PUT /mlws/api/v1/notebooks/answers/{request_id}.",
        "type": "object",
        "required": ["request_id", "kernel_id"],
        "properties": {
            "request_id": {"type": "string", "description": "Names the question in the answer."},
            "kernel_id": {"type": "string", "description": "The kernel of the notebook."},
        },
    },
)


def register(logger: EventLogger) -> None:
    """Make our events known. Must happen before the first subscriber comes."""
    for schema in _SCHEMAS:
        if schema["$id"] not in logger.schemas:
            logger.register_event_schema(schema)


def ask_for_notebook(logger: EventLogger, *, request_id: str, kernel_id: str) -> bool:
    """Ask the browsers for a notebook. False when there is nobody to ask."""
    data = {"request_id": request_id, "kernel_id": kernel_id}
    return logger.emit(schema_id=NOTEBOOK_REQUEST, data=data) is not None


class ChangeEmitter:
    """Emits changes in their order, without holding the event loop when many come at once."""

    def __init__(self, logger: EventLogger) -> None:
        self._logger = logger
        self._waiting: deque[Change] = deque()
        self._task: asyncio.Task[None] | None = None

    def publish(self, changes: list[Change]) -> None:
        """Emit `changes` soon; on the event loop."""
        self._waiting.extend(changes)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._drain())

    async def _drain(self) -> None:
        while self._waiting:
            for _ in range(min(_AT_ONCE, len(self._waiting))):
                self._logger.emit(schema_id=CHANGE, data=self._waiting.popleft().model_dump(mode="json"))
            await asyncio.sleep(0)
