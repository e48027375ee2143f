"""The driver `remote`: each kernel is one of another Jupyter server, with nothing of ours installed there."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

from jupyter_mlws.kernels.driver import KernelStartFailed, Promises
from jupyter_mlws.kernels.remote.choosing import choose
from jupyter_mlws.kernels.remote.kernel import RemoteKernel
from jupyter_mlws.kernels.remote.line import Say
from jupyter_mlws.kernels.remote.preparing import adopt, prepare
from jupyter_mlws.kernels.remote.records import RecordSpool
from jupyter_mlws.kernels.remote.server import KernelGone, RemoteServer
from jupyter_mlws.kernels.remote.spares import Spares
from jupyter_mlws.kernels.remote.token import Token, token_of
from jupyter_mlws.kernels.remote.troubles import RemoteFull
from jupyter_mlws.model.errors import MlwsError
from jupyter_mlws.model.job import KernelChoice
from jupyter_mlws.model.remote import Remote, Whereabouts

_TAKE_SECONDS = 3.0  # for a spare to answer, and for its server to end it if it does not


class RemoteDriver:
    """Starts kernels on one other Jupyter server, or takes one that waits there, ready."""

    promises = Promises(own_machine=False, exit_code=False, last_words=False)

    def __init__(
        self,
        remote: Remote,
        *,
        session: str = "mlws",
        note: Callable[[Whereabouts | None], None] = lambda found: None,
        say: Say = lambda text, level: None,
        spool: RecordSpool | None = None,
        token: Token | None = None,
        spares: Spares | None = None,
    ) -> None:
        """Nothing happens before `start`.

        `session` is what the kernel's session there is called. `note` is told where the kernel is, before it
        is asked for and again before its first message, and None once it is gone. `say` tells the user of
        the connection. `spool` gets what the job's code logs with MLflow there. `token` gives the token where
        it is not in the remote's file. Without `spares` each kernel is a new one.
        """
        self._token = token or token_of(remote.token_file)
        self._remote, self._session = remote, session
        self._note, self._say, self._spool = note, say, spool
        self._spares = spares

    async def start(self, choice: KernelChoice, *, cwd: Path, env: Mapping[str, str]) -> RemoteKernel:
        """Start a kernel in a new folder there; of `env` it gets what this process does not have itself.

        Raises:
            KernelNotFound: there is no such kernelspec there.
            KernelStartFailed: it could not be prepared.
            MlwsError: the server cannot be reached, refuses, or is full; with a sentence each.
        """
        given = {key: value for key, value in env.items() if os.environ.get(key) != value}
        spare = None if self._spares is None else await self._spares.take(self._remote, choice)
        if spare is not None and (kernel := await self._adopt(spare, given)) is not None:
            return kernel
        try:
            return await self._start(choice, given)
        except RemoteFull:
            if not await self._make_room():
                raise
            return await self._start(choice, given)

    async def _start(self, choice: KernelChoice, given: Mapping[str, str]) -> RemoteKernel:
        server = self._server()
        try:
            kernelspec = await choose(server, self._remote, choice)
            found = Whereabouts(
                name=self._remote.name,
                url=server.url,
                token_file=self._remote.token_file,
                session=f"{self._session}-{uuid.uuid4().hex[:8]}",
                session_id=uuid.uuid4().hex,
            )
            self._note(found)
            kernel_id = await server.start(found.session, kernel=kernelspec.name)
            self._note(found.model_copy(update={"kernel_id": kernel_id}))
        except BaseException:
            server.close()
            raise
        kernel = self._kernel(server, kernel_id, language=kernelspec.language)
        try:
            await kernel.connect(session_id=found.session_id)
            if kernelspec.language == "python":
                nonce = uuid.uuid4().hex
                account = await prepare(kernel.ask, nonce=nonce, environment=given, name=self._remote.name)
                kernel.prepared(nonce, account)
        except BaseException as error:
            await kernel.close(patience=0)
            if isinstance(error, KernelGone):
                raise KernelStartFailed(
                    f"The kernel {kernelspec.name!r} ended at its start on {self._remote.name}.",
                    hint="The log of that server says why.",
                ) from error
            raise
        return kernel

    async def _adopt(self, found: Whereabouts, given: Mapping[str, str]) -> RemoteKernel | None:
        """Return the spare, which is ours now; None when it is dead, gone or began anew: then it is ended."""
        if found.spare is None or found.kernel_id is None:
            return None
        kernel = self._kernel(self._server(), found.kernel_id, language="python")
        try:
            async with asyncio.timeout(_TAKE_SECONDS):
                await kernel.connect(session_id=found.session_id, renews=True)
                account = await adopt(
                    kernel.ask, nonce=found.spare.nonce, environment=given, seconds=_TAKE_SECONDS
                )
            if account is not None:
                kernel.prepared(found.spare.nonce, account)
                return kernel
        except (MlwsError, KernelGone, TimeoutError):
            pass  # a kernel of one's own is started, and what is wrong with the server is said then
        except BaseException:
            await kernel.leave()
            raise
        await kernel.leave()
        await self._end(found)
        return None

    async def _make_room(self) -> bool:
        """End a spare there that does not suit the job; False when there is none."""
        found = None if self._spares is None else await self._spares.take_any(self._remote)
        return found is not None and await self._end(found)

    async def _end(self, found: Whereabouts) -> bool:
        """End a spare that was taken; if that cannot be, leave it to the leading server."""
        assert self._spares is not None
        server = self._server()
        try:
            async with asyncio.timeout(_TAKE_SECONDS):
                await server.delete(found.kernel_id or "")
        except (MlwsError, TimeoutError):
            await asyncio.to_thread(self._spares.give_back)
            return False
        finally:
            server.close()
        self._note(None)
        return True

    def _server(self) -> RemoteServer:
        return RemoteServer(self._remote.url, name=self._remote.name, token=self._token)

    def _kernel(self, server: RemoteServer, kernel_id: str, *, language: str) -> RemoteKernel:
        return RemoteKernel(
            server,
            kernel_id,
            language=language,
            remote=self._remote,
            say=self._say,
            spool=self._spool,
            gone=lambda: self._note(None),
        )
