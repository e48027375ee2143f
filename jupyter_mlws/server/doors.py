"""What belongs to the server rather than to its workspace; every request can reach it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_mlws.jobs.beside import Beside

if TYPE_CHECKING:
    from jupyter_mlws.server.gate import Gate
    from jupyter_mlws.server.notebook_lookup import NotebookLookup
    from jupyter_mlws.server.workspaces import Workspaces


class Doors:
    """The gate to the workspace, the notebooks on the screens, and facts of the server."""

    def __init__(
        self,
        *,
        gate: Gate,
        workspaces: Workspaces,
        notebooks: NotebookLookup,
        root: Path | None,
        version: str,
        headless: bool,
        describe: Callable[[], str],
        log: logging.Logger,
    ) -> None:
        """`root` is the folder that Jupyter shows, None when it is not on this machine's disk.

        `describe` gives the OpenAPI document.
        """
        self.gate = gate
        self.workspaces = workspaces
        self.notebooks = notebooks
        self.root = root
        self.version = version
        self.headless = headless
        self._describe = describe
        self.beside = Beside("a request", log=log)
        """What no request waits for."""
        self._document: str | None = None

    async def openapi(self) -> str:
        """Return the OpenAPI document; it is made at first use, off the event loop."""
        if self._document is None:
            self._document = await asyncio.to_thread(self._describe)
        return self._document
