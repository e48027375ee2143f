"""Which notebook is it: a kernel asks, a browser answers."""

from __future__ import annotations

from jupyter_mlws.model.notebook import NotebookAnswer, NotebookAsk, NotebookFound
from jupyter_mlws.server.notebook_lookup import check_answer
from jupyter_mlws.server.route import AnyRoute, Call, JsonReply, NoQuery, Reply, Route


async def ask(call: Call[NoQuery, NotebookAsk]) -> JsonReply:
    """Give the notebook of a kernel as it stands on the screen, or else as it was saved."""
    return JsonReply(pieces=await call.doors.notebooks.find(call.body.kernel_id))


async def answer(call: Call[NoQuery, NotebookAnswer]) -> Reply:
    """Take a browser's answer to a `notebook-request` event."""
    check_answer(call.text)
    call.doors.notebooks.answer(call.path["request_id"], call.text)
    return Reply(status=204)


ROUTES: tuple[AnyRoute, ...] = (
    Route(
        method="POST",
        path="/notebooks/ask",
        # It gives what a file holds and changes nothing: whoever may read files may ask.
        resource="contents",
        asks="read",
        summary="Get the notebook of a kernel, unsaved changes included",
        run=ask,
        query=NoQuery,
        body=NotebookAsk,
        answer=NotebookFound,
        needs_workspace=False,
    ),
    Route(
        method="PUT",
        path="/notebooks/answers/{request_id}",
        resource="notebooks",
        summary="Answer a notebook-request event",
        run=answer,
        query=NoQuery,
        body=NotebookAnswer,
        passes_body=True,
        status=204,
        needs_workspace=False,
    ),
)
