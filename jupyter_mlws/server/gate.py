"""Holds the open workspace: opens it beside the server's start, lets requests in, changes it for another."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING

from jupyter_mlws.model.errors import MlwsError, NotReady

if TYPE_CHECKING:
    from jupyter_mlws.app import Services

_PATIENCE = 15.0
_RETRY_AFTER = 3.0
_DRAIN = 10.0


class WorkspaceOpening(NotReady):
    """The workspace is being opened."""

    code = "workspace_opening"


class WorkspaceClosed(NotReady):
    """The server is going down."""

    code = "workspace_closed"


class PlatformRefused(NotReady):
    """This operating system is not supported."""

    code = "platform_refused"


class Gate:
    """The one way to the services. A workspace that cannot be opened keeps nobody from trying again."""

    def __init__(
        self,
        *,
        choice: str | None,
        open_services: Callable[[str | None], Awaitable[Services]],
        opened: Callable[[Services], Awaitable[None]],
        failed: Callable[[MlwsError], None],
    ) -> None:
        """Open with `open_services(choice)`, where `choice` names a workspace or is its path.

        `opened` is told of each workspace that was opened, `failed` of what kept one from it.
        """
        self._choice = choice
        self._open_services = open_services
        self._told = opened
        self._told_failure = failed
        self._services: Services | None = None
        self._opening: asyncio.Task[Services] | None = None
        self._failed: tuple[float, MlwsError] | None = None
        self._changing = asyncio.Lock()
        self._users: dict[int, int] = {}
        self._left = asyncio.Event()
        self._closed = False

    @property
    def current(self) -> Services | None:
        """The open workspace; None while there is none."""
        return self._services

    def start(self) -> None:
        """Begin to open the workspace. Returns at once; a failure is told to whoever asks for it."""
        self._opening = asyncio.create_task(self._open(self._choice))
        self._opening.add_done_callback(_look_at)

    @contextlib.asynccontextmanager
    async def use(self) -> AsyncIterator[Services]:
        """Give the open workspace, and keep it open meanwhile. Raises what keeps it from being open."""
        services = await self.enter()
        try:
            yield services
        finally:
            self.leave(services)

    async def enter(self) -> Services:
        """Return the open workspace, which stays open until `leave`. Raises what keeps it from being open."""
        services = await self._ready()
        key = id(services)
        self._users[key] = self._users.get(key, 0) + 1
        return services

    def leave(self, services: Services) -> None:
        """Need `services` no more; once for each `enter`."""
        key = id(services)
        self._users[key] -= 1
        if self._users[key] == 0:
            del self._users[key]
        self._left.set()

    async def change(self, choice: str, *, chosen: Callable[[], Awaitable[None]]) -> Services:
        """Open another workspace and close the one that was open, once its requests are answered.

        `chosen` is called when it is open, and makes it the current one for later starts. When it cannot be
        opened, all stays as it was.
        """
        async with self._changing:
            before = self._services
            services = await self._opened(choice)
            self._services, self._failed, self._choice = services, None, choice
            await chosen()
            await self._told(services)
            if before is not None:
                before.let_go()
                await self._until_unused(before)
                await before.close()
            return services

    async def close(self) -> None:
        """Close the workspace. Jobs run on."""
        self._closed = True
        if self._opening is not None and not self._opening.done():
            self._opening.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await self._opening
        services, self._services = self._services, None
        if services is not None:
            await services.close()

    async def _ready(self) -> Services:
        if self._services is not None:
            return self._services
        if self._closed:
            raise WorkspaceClosed("The server is going down.", hint="Jobs run on; ask again when it is back.")
        self._try_again()
        if self._opening is None:
            raise _opening_still()
        try:
            return await asyncio.wait_for(asyncio.shield(self._opening), _PATIENCE)
        except TimeoutError:
            raise _opening_still() from None

    def _try_again(self) -> None:
        """Start another attempt when the last one failed a while ago: the disk may be there now."""
        if self._failed is not None and time.monotonic() - self._failed[0] > _RETRY_AFTER:
            self._failed = None
            self.start()

    async def _open(self, choice: str | None) -> Services:
        async with self._changing:
            try:
                services = await self._opened(choice)
            except MlwsError as error:
                self._failed = (time.monotonic(), error)
                self._told_failure(error)
                raise
            self._services = services
            await self._told(services)
            # What was imported until now stays. To look through it for garbage again and again would hold the
            # event loop for a fifth of a second each time.
            gc.freeze()
            return services

    async def _opened(self, choice: str | None) -> Services:
        refuse_windows()
        try:
            return await self._open_services(choice)
        except MlwsError:
            raise
        except Exception as error:
            raise NotReady(
                f"The workspace cannot be opened: {type(error).__name__}: {error}.",
                hint="What happened is in the server's log.",
                code="workspace_broken",
            ) from error

    async def _until_unused(self, services: Services) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN):
                while id(services) in self._users:
                    self._left.clear()
                    await self._left.wait()


def refuse_windows() -> None:
    """Raise `PlatformRefused` where the operating system is Windows."""
    # Compared at run time, so that the type checker reads on.
    if sys.platform.startswith("win"):
        raise PlatformRefused("jupyter_mlws does not run on Windows.", hint="Use Linux, macOS, or WSL 2.")


def _opening_still() -> WorkspaceOpening:
    return WorkspaceOpening("The workspace is still being opened.", hint="Ask again in a moment.")


def _look_at(task: asyncio.Task[Services]) -> None:
    if not task.cancelled():
        task.exception()
