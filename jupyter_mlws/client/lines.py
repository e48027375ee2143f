"""Connections enough for many requests at once, each of which a server may hold for a while."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Iterator, Mapping

import httpx

# httpx looks at all connections of a pool for each request, so that pools are kept small.
_LINES_OF_A_POOL = 8
_KEPT_SECONDS = 30.0
_TIMES = httpx.Timeout(60.0, connect=5.0)


class _Pool:
    """A client of httpx with few connections, all of which are kept."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.taken = 0


class Lines:
    """Connections to one server: as many as there are requests. One that speaks to it alone has one."""

    def __init__(self, url: str, *, headers: Mapping[str, str], near: bool) -> None:
        """`url` is where paths begin. `near` says that it leads to this machine."""
        self._url = url
        self._headers = headers
        # A proxy never leads to this machine, and its certificate, where it has one, is self-signed.
        self._near = near
        self._context: ssl.SSLContext | None = None
        self._pools: list[_Pool] = []

    @contextlib.contextmanager
    def line(self) -> Iterator[httpx.AsyncClient]:
        """Give a client with a free connection for one request."""
        pool = next((pool for pool in self._pools if pool.taken < _LINES_OF_A_POOL), None) or self._more()
        pool.taken += 1
        try:
            yield pool.client
        finally:
            pool.taken -= 1

    async def close(self) -> None:
        """Let go of the connections."""
        pools, self._pools = self._pools, []
        await asyncio.gather(*(pool.client.aclose() for pool in pools))

    def _more(self) -> _Pool:
        if self._context is None:
            # Made once: it reads all certificates of the machine.
            self._context = httpx.create_ssl_context(verify=not self._near, trust_env=not self._near)
        client = httpx.AsyncClient(
            base_url=self._url,
            headers=self._headers,
            timeout=_TIMES,
            trust_env=not self._near,
            verify=self._context,
            limits=httpx.Limits(keepalive_expiry=_KEPT_SECONDS),  # of numbers: none
        )
        pool = _Pool(client)
        self._pools.append(pool)
        return pool
