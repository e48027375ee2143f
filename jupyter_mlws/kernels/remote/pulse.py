"""Whether a prepared kernel on another server lives, and what it uses: it is asked steadily, on control."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from jupyter_mlws.kernels.driver import Usage
from jupyter_mlws.kernels.remote.caller import Caller, request
from jupyter_mlws.kernels.remote.line import Line
from jupyter_mlws.kernels.remote.server import RemoteServer
from jupyter_mlws.kernels.remote.troubles import kernel_gone
from jupyter_mlws.model.errors import ErrorInfo, MlwsError

_LOOK_SECONDS = 1.0
_SILENT_SECONDS = 5.0  # without an answer of the kernel until its server is asked about it


class Pulse:
    """Looks at one kernel, and asks its server where it does not answer."""

    def __init__(
        self,
        server: RemoteServer,
        kernel_id: str,
        *,
        line: Line,
        caller: Caller,
        session: str,
        end: Callable[[ErrorInfo], None],
    ) -> None:
        """`session` is that of our requests; `end` is told why the kernel counts as gone."""
        self._server, self._id, self._line, self._caller = server, kernel_id, line, caller
        self._session, self._end = session, end
        self.usage: Usage | None = None
        """What its processes use, as they said a moment ago."""

    async def watch(self) -> None:
        """Look at it until canceled. Raises errors of ours, and `KernelGone`, when the line is over."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            looking = asyncio.create_task(self._caller.call("look"))
            try:
                while not (await asyncio.wait((looking,), timeout=_SILENT_SECONDS))[0]:
                    if self._line.connected:
                        await self._inquire()
                found = looking.result().content
                if found.get("memory") is not None:
                    self.usage = Usage(memory=int(found["memory"]), cpu_seconds=float(found["cpu"]))
            finally:
                looking.cancel()

    async def _inquire(self) -> None:
        """Ask the server, and whatever is in the place of the kernel, since the kernel does not answer."""
        try:
            if await self._server.state(self._id) is None:
                self._end(kernel_gone(self._server.name))
        except MlwsError:
            return  # the connection says more
        self._line.send(request("kernel_info_request", {}, session=self._session))
        self._line.send_again()
