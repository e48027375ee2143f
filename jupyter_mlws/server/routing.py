"""The router of a server, made at the first request."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_mlws.server.router import Router


class Routing:
    """Imports the routes when they are first asked for: a server that nobody asks starts without them."""

    def __init__(self) -> None:
        self._router: Router | None = None

    async def router(self) -> Router:
        """Return the router; the first call imports it off the event loop."""
        if self._router is None:
            self._router = await asyncio.to_thread(_make_router)
        return self._router


def _make_router() -> Router:
    from jupyter_mlws.server.router import Router
    from jupyter_mlws.server.routes.table import ROUTES

    return Router(ROUTES)
