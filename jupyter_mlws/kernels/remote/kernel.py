"""One kernel on another Jupyter server."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from jupyter_mlws.kernels.driver import Usage
from jupyter_mlws.kernels.remote.asking import Asking
from jupyter_mlws.kernels.remote.beside import Beside
from jupyter_mlws.kernels.remote.bridge import Bridge
from jupyter_mlws.kernels.remote.caller import Caller, CallFailed
from jupyter_mlws.kernels.remote.codec import Wire
from jupyter_mlws.kernels.remote.files import RemoteFiles
from jupyter_mlws.kernels.remote.inbox import Inbox
from jupyter_mlws.kernels.remote.line import Line, Say
from jupyter_mlws.kernels.remote.pulse import Pulse
from jupyter_mlws.kernels.remote.records import Records, RecordSpool
from jupyter_mlws.kernels.remote.server import KernelGone, RemoteServer, persistently
from jupyter_mlws.kernels.remote.troubles import kernel_died, kernel_gone
from jupyter_mlws.kernels.remote.unnumbered import Unnumbered, died
from jupyter_mlws.model.errors import ErrorInfo, MlwsError
from jupyter_mlws.model.remote import Remote

_RECORDS_SECONDS = 600.0  # for what was logged and is still under way: a model of some gigabytes, say
_SAFE = ("kernel_info_request",)
"""Requests that may be sent twice to a kernel that does not know them again."""
_LIMITED = ("IOPub data rate exceeded", "IOPub message rate exceeded")


class RemoteKernel:
    """A kernel that `RemoteDriver` started."""

    pid: int | None = None
    process_started: float | None = None

    def __init__(
        self,
        server: RemoteServer,
        kernel_id: str,
        *,
        language: str,
        remote: Remote,
        say: Say,
        spool: RecordSpool | None,
        gone: Callable[[], None],
    ) -> None:
        """`say` and `spool`: see `RemoteDriver`; `gone` is called once the server has ended the kernel."""
        self._gone = gone
        self._server, self._id, self._remote = server, kernel_id, remote
        self._say, self._records = say, Records(spool, name=remote.name, say=say)
        self._beside = Beside()
        self._inbox = Inbox(deliver=self._deliver, say=say, beside=self._beside.do)
        self._asking = Asking()
        self._line: Line | None = None
        self._caller: Caller | None = None
        self._session: str | None = None
        self._replied: set[str] = set()
        self._pulse: Pulse | None = None
        self._epitaph: ErrorInfo | None = None
        self._ended = asyncio.Event()
        self._deleted = self._closed = False
        self._connected = False
        self._unnumbered = Unnumbered(
            name=remote.name, send=self._send, state=lambda: server.state(kernel_id)
        )
        self._bridge = Bridge(self._from_client)
        self.client: Any = self._bridge.client
        self.files: RemoteFiles | None = None
        self.folder = ""
        self.python: str | None = None
        """Version of its Python, once it is prepared."""
        self.language = language

    # --- beginning

    async def connect(self, *, session_id: str, renews: bool = False) -> None:
        """Open the connection; `renews`: see `Line.renews`. Raises errors of ours, and `KernelGone`."""
        self._line = Line(
            self._server,
            self._id,
            session_id=session_id,
            hear=self._hear,
            back=self._back,
            say=self._say,
            patience=self._remote.patience,
        )
        self._line.renews = renews
        await self._line.open()
        self._line.over.add_done_callback(self._lost)
        self._connected = True

    async def ask(self, kind: str, content: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Send a request of ours on shell, and return the content of its reply. Raises errors of ours."""
        assert self._line is not None
        return await self._asking.ask(
            self._line, kind, content, session=self.client.session.session, seconds=seconds
        )

    def prepared(self, nonce: str, found: Mapping[str, Any]) -> None:
        """The kernel has `inside` in it, and numbers what it sends."""
        assert self._line is not None
        self._line.renews = True
        self._session = str(found["session"])
        self.folder = str(found["folder"])
        self.python = str(found["python"])
        self._caller = Caller(self._line, nonce=nonce, heard=lambda: self._inbox.heard)
        self._inbox.begin(self._caller, session=self._session, first=int(found["next"]))
        self.files = RemoteFiles(self._caller, name=self._remote.name, folder=self.folder)
        self._pulse = Pulse(
            self._server,
            self._id,
            line=self._line,
            caller=self._caller,
            session=self.client.session.session,
            end=self._end,
        )
        self._beside.do(self._pulse.watch)
        self._records.begin(self.files)

    # --- what a kernel does, see `kernels.driver`

    async def interrupt(self) -> None:
        """Interrupt the code that runs."""
        await persistently(lambda: self._server.interrupt(self._id))

    async def terminate(self) -> None:
        """Have its server end it; it has a moment to end by itself."""
        await self._delete()

    async def kill(self) -> None:
        """End all processes of the kernel at once."""
        if self._caller is not None and self._line is not None and self._line.connected and not self._closed:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self._caller.call("die"), 0.2)
        await self._delete()

    async def alive(self) -> bool:
        """Whether it runs, as far as is known; a lost connection is not its end."""
        return not self._ended.is_set()

    def exit_code(self) -> int | None:
        """Not known here."""
        return None

    async def usage(self) -> Usage | None:
        """What its processes use, as they said a moment ago."""
        return None if self._pulse is None else self._pulse.usage

    def give_way(self, nice: int) -> None:
        """Its processes are not on this machine."""

    def last_words(self) -> str:
        """Not known here: its server has them."""
        return ""

    def epitaph(self) -> ErrorInfo | None:
        """Why it is gone, or counts as gone."""
        return self._epitaph

    async def packages(self) -> str | None:
        """Return the installed distributions there, see `inside_machine.distributions`; None if not known."""
        if self._caller is None:
            return None
        try:
            return str((await self._caller.call("packages")).content["packages"])
        except (CallFailed, MlwsError, KernelGone):
            return None

    async def close(self, *, patience: float) -> None:
        """Have its server end it, and close the connection."""
        if self._closed:
            return
        await self._records.close(patience=_RECORDS_SECONDS if patience > 0 and await self.alive() else 0.0)
        self._closed = True
        self._inbox.close()
        self._beside.cancel()
        if patience <= 0 and self._caller is not None and self._line is not None and self._line.connected:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self._caller.call("die"), 0.2)
        await self._delete()
        await self._disconnect()

    async def leave(self) -> None:
        """Close the connection to a kernel that was never prepared, and leave it where it is."""
        self._closed = True
        await self._disconnect()

    async def _disconnect(self) -> None:
        if self._line is not None:
            await self._line.close()
        self._bridge.close()
        self._server.close()

    # --- what comes and goes

    def _from_client(self, wire: Wire) -> None:
        assert self._line is not None
        # A kernel with `inside` in it knows a request again; another one might run it twice.
        keep = wire.channel == "shell" and wire.type.endswith("_request")
        if self._caller is None:
            self._unnumbered.sent(wire)
        self._line.send(wire, keep=keep and (self._caller is not None or wire.type in _SAFE))

    def _hear(self, wire: Wire) -> None:
        if not self._inbox.take(wire):
            self._hear_unnumbered(wire, wire.type)

    def _hear_unnumbered(self, wire: Wire, kind: str) -> None:
        # A kernel that is prepared began long ago; one that is not may say so late.
        if died(wire, began=self._caller is not None):
            self._end(kernel_died(self._remote.name))
            return
        if kind == "kernel_info_reply":
            if self._session is None:
                self._session = wire.session
            if self._session != wire.session:
                self._end(kernel_died(self._remote.name))
                return
        if self._unnumbered.hear(wire):
            return
        if kind == "stream" and json.loads(wire.content).get("text", "").startswith(_LIMITED):
            # Of a kernel that numbers nothing is lost: what was dropped is fetched.
            if self._caller is None:
                self._say(
                    f"Output is missing here: {self._remote.name} drops what comes too fast.",
                    "warning",
                )
            return
        self._deliver(wire)

    def _deliver(self, wire: Wire) -> None:
        if wire.channel == "record":
            self._records.take(wire.header, json.loads(wire.parent))
            return
        parent = wire.parent_id
        if wire.channel == "shell":
            if self._line is not None:
                self._line.answered(parent)
            if self._asking.take(wire) or parent in self._replied:
                return
            self._replied.add(parent)
        self._bridge.deliver(wire)

    def _back(self) -> None:
        """There is a connection, the first one or another."""
        self._inbox.pull()
        if self._connected and self._unnumbered.unsettled:
            self._say(self._unnumbered.warning, "warning")
            self._beside.do(self._settle)

    async def _settle(self) -> None:
        if (why := await self._unnumbered.settle(self.client.session.session)) is not None:
            self._end(why)

    def _send(self, wire: Wire) -> None:
        assert self._line is not None
        self._line.send(wire)

    # --- its end

    def _lost(self, over: asyncio.Future[Exception]) -> None:
        if self._closed:
            return
        error = over.result()
        if isinstance(error, MlwsError):
            self._end(error.info)
        elif isinstance(error, KernelGone):
            self._end(kernel_gone(self._remote.name))
        else:
            self._end(ErrorInfo(code="worker_error", message=f"The line to the kernel failed: {error!r}."))

    def _end(self, why: ErrorInfo) -> None:
        if not self._ended.is_set() and not self._deleted:
            self._epitaph = why
        self._ended.set()
        self._asking.end()

    async def _delete(self) -> None:
        """Have the server end the kernel, which makes it count as ended whatever the server does."""
        if self._deleted:
            return
        error = await persistently(lambda: self._server.delete(self._id))
        if error is None:
            self._deleted = True
            self._gone()
        else:
            self._say(
                f"The kernel {self._id} on {self._remote.name} could not be ended, and may still run: "
                f"{error.message}",
                "warning",
            )
        self._ended.set()
        self._asking.end()
