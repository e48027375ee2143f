"""Starts a kernel on another Jupyter server ahead of the job that will take it, and prepares it."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from jupyter_mlws.kernels.driver import KernelStartFailed
from jupyter_mlws.kernels.remote.asking import Asking
from jupyter_mlws.kernels.remote.choosing import choose
from jupyter_mlws.kernels.remote.codec import Wire
from jupyter_mlws.kernels.remote.line import Line
from jupyter_mlws.kernels.remote.preparing import prepare
from jupyter_mlws.kernels.remote.server import KernelGone, RemoteServer
from jupyter_mlws.kernels.remote.token import Token
from jupyter_mlws.kernels.remote.unnumbered import died
from jupyter_mlws.model.job import KernelChoice
from jupyter_mlws.model.remote import Remote, Spare, Whereabouts

_SESSION = "mlws-spare"
_LANGUAGE = "python"


async def start_spare(
    remote: Remote,
    *,
    token: Token,
    note: Callable[[Whereabouts], Awaitable[bool]],
    keep: Callable[[Whereabouts], Awaitable[bool]],
) -> None:
    """Start a kernel of the compute's own kernelspec, prepare it, and leave it.

    `note` is told how it is found before it is asked for and again once its id is known, `keep` when it is
    ready; both say whether it is still wanted. Where that is not so, or something fails, it is ended again as
    far as it can be. Nothing is done where the kernelspec is not Python's. Raises errors of ours.
    """
    server = RemoteServer(remote.url, name=remote.name, token=token)
    kernel_id: str | None = None
    kept = False
    try:
        kernelspec = await choose(server, remote, KernelChoice())
        if kernelspec.language != _LANGUAGE:
            return
        spare = Spare(kernel=kernelspec.name, default=kernelspec.default, nonce=uuid.uuid4().hex)
        found = Whereabouts(
            name=remote.name,
            url=server.url,
            token_file=remote.token_file,
            session=f"{_SESSION}-{uuid.uuid4().hex[:8]}",
            session_id=uuid.uuid4().hex,
            spare=spare,
        )
        if not await note(found):
            return
        kernel_id = await server.start(found.session, kernel=kernelspec.name)
        found = found.model_copy(update={"kernel_id": kernel_id})
        if await note(found):
            await _prepare(server, kernel_id, remote=remote, nonce=spare.nonce)
            kept = await keep(found)
    finally:
        try:
            if kernel_id is not None and not kept:
                await server.delete(kernel_id)
        finally:
            server.close()


async def _prepare(server: RemoteServer, kernel_id: str, *, remote: Remote, nonce: str) -> None:
    asking = Asking()

    def hear(wire: Wire) -> None:
        if wire.channel == "shell":
            asking.take(wire)
        elif died(wire, began=False):
            asking.end()

    line = Line(
        server,
        kernel_id,
        session_id=uuid.uuid4().hex,
        hear=hear,
        back=lambda: None,
        say=lambda text, level: None,
        patience=remote.patience,
    )

    async def ask(kind: str, content: dict[str, Any], seconds: float) -> Mapping[str, Any]:
        return await asking.ask(line, kind, content, session=uuid.uuid4().hex, seconds=seconds)

    try:
        await line.open()
        await prepare(ask, nonce=nonce, environment={}, name=remote.name)
    except KernelGone as error:
        raise KernelStartFailed(f"A kernel that was to wait on {remote.name} ended at its start.") from error
    finally:
        await line.close()
