"""Which server a client speaks to, and how it finds it again after a restart."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from jupyter_mlws.client import discovery, headless, places
from jupyter_mlws.model.errors import Invalid, NotReady


class NoServer(NotReady):
    """No server of the workspace runs, and none was to be started."""

    code = "no_server"


@dataclass(frozen=True)
class Finder:
    """Finds the server: what the call said, then the environment, then runtime files, then a new one."""

    workspace: str | None = None
    url: str | None = None
    token: str | None = None
    start: bool = True
    """Whether a headless server is started where none runs."""

    @property
    def is_fixed(self) -> bool:
        """Whether the address was given, so that there is nothing to find again."""
        return self._given() is not None

    def look(self) -> discovery.Address | None:
        """Return a server that is there already, without starting one."""
        return self._given() or discovery.find(places.choose(self.workspace))

    async def find(self, *, say: Callable[[str], None]) -> discovery.Address:
        """Return a server, started if need be. Raises `NoServer`, `ServerStartFailed`, `WorkspaceUnknown`."""
        if found := self.look():
            return found
        chosen = places.choose(self.workspace)
        if not self.start:
            raise NoServer(
                f"No server runs for the workspace {chosen.asked!r}.",
                hint="Start JupyterLab, or run: jupyter mlws server start",
            )
        return await headless.ensure(chosen, say=say)

    def _given(self) -> discovery.Address | None:
        if self.url is not None:
            return _address(self.url, self.token, "the argument url")
        url = os.environ.get("MLWS_SERVER_URL")
        if url and self.workspace is None:
            return _address(url, self.token, "MLWS_SERVER_URL")
        return None


def _address(url: str, token: str | None, source: str) -> discovery.Address:
    if not url.startswith(("http://", "https://")):
        raise Invalid(
            f"The server address {url[:200]!r} from {source} is no URL.",
            hint="Write for example http://127.0.0.1:8888/",
        )
    return discovery.Address(
        url=url.rstrip("/"),
        token=token or os.environ.get("MLWS_TOKEN", ""),
        source=source,
        token_source="the argument token" if token else "MLWS_TOKEN",
    )
