"""Requests to MLflow's REST interface: small timeouts, a few tries, and errors as sentences."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx

from jupyter_mlws.model.errors import MlwsError, NotReady
from jupyter_mlws.tracking.address import TrackingAddress

_PAUSES = (0.1, 0.4, 1.5)
"""Seconds before the second, third and fourth try."""
_TIMEOUT = httpx.Timeout(connect=2.0, read=10.0, write=10.0, pool=30.0)
_BUSY = frozenset({429, 502, 503, 504})


class TrackingUnavailable(NotReady):
    """MLflow's server gave no answer, after several tries."""

    code = "tracking_unavailable"


class TrackingRefused(MlwsError):
    """MLflow's server answered with an error: a run that does not exist, a value that it does not take."""

    status, code = 502, "tracking_refused"

    def __init__(self, message: str, *, reason: str) -> None:
        """`reason` is MLflow's error code, such as `RESOURCE_DOES_NOT_EXIST`."""
        super().__init__(message)
        self.reason = reason


class Rest:
    """MLflow's REST interface. The address is asked for before each try, so that a restart is survived."""

    def __init__(self, address: Callable[[], Awaitable[TrackingAddress]]) -> None:
        self._address = address
        self._known: TrackingAddress | None = None
        self._client: httpx.AsyncClient | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._client:
            await self._client.aclose()
        self._client = self._known = None

    async def get(self, path: str, *, query: Mapping[str, str]) -> dict[str, Any]:
        """GET `/api/2.0/mlflow/<path>` and return its JSON."""
        response = await self._send("GET", f"/api/2.0/mlflow/{path}", params=dict(query))
        answer: dict[str, Any] = response.json()
        return answer

    async def _send(self, method: str, url: str, **arguments: Any) -> httpx.Response:
        trouble = ""
        for pause in (*_PAUSES, None):
            client = await self._connected()
            try:
                response = await client.request(method, url, **arguments)
            except httpx.TransportError as error:
                trouble = str(error) or type(error).__name__
            else:
                if response.status_code not in _BUSY:
                    return _checked(response)
                trouble = f"status {response.status_code}"
            if pause is not None:
                await asyncio.sleep(pause)
        raise TrackingUnavailable(
            f"MLflow's server gave no answer to {method} {url}: {trouble}.",
            hint="Its log is mlflow/server.log in the workspace.",
        )

    async def _connected(self) -> httpx.AsyncClient:
        address = await self._address()
        if self._client is None or address != self._known:
            await self.close()
            self._known = address
            # trust_env=False: a proxy of the user's is not for 127.0.0.1, and .netrc not for our token.
            self._client = httpx.AsyncClient(
                base_url=address.url,
                headers={"Authorization": f"Bearer {address.token}"},
                timeout=_TIMEOUT,
                trust_env=False,
            )
        return self._client


def _checked(response: httpx.Response) -> httpx.Response:
    if response.is_success:
        return response
    try:
        answer = response.json()
        reason, message = str(answer["error_code"]), str(answer["message"])
    except (ValueError, KeyError, TypeError):
        reason, message = f"HTTP {response.status_code}", response.text[:500]
    raise TrackingRefused(f"MLflow refused {response.request.url.path}: {message}", reason=reason)
