"""Asks MLflow's server to ship spools: one request for many, over a connection that is kept."""

from __future__ import annotations

import http.client
from collections.abc import Sequence

from jupyter_mlws.tracking.address import TrackingAddress
from jupyter_mlws.tracking.shipping_request import PATH, Asked, Told, answered
from jupyter_mlws.tracking.troubles import Unreachable

_SECONDS = 60.0


class Shipper:
    """To be used by one thread at a time; each call may take a second, and longer while the disk is slow."""

    def __init__(self) -> None:
        self._address: TrackingAddress | None = None
        self._connection: http.client.HTTPConnection | None = None

    def ship(
        self, address: TrackingAddress, attempts: Sequence[tuple[str, int]], *, wait: bool = False
    ) -> list[Told]:
        """Have the spools of `attempts`, jobs' ids and numbers, shipped; return how far that came.

        With `wait` it is waited for another who ships. Raises `Unreachable`.
        """
        question = Asked(list(attempts), wait).to_json()
        kept = self._connection is not None and address == self._address
        try:
            return self._ask(address, question)
        except Unreachable:
            if not kept:
                raise
        # The server closes connections that were silent for a while; asked twice it ships no more than once.
        return self._ask(address, question)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(self, address: TrackingAddress, question: bytes) -> list[Told]:
        if self._connection is None or address != self._address:
            self.close()
            host, _, port = address.url.removeprefix("http://").partition(":")
            self._connection = http.client.HTTPConnection(host, int(port), timeout=_SECONDS)
            self._address = address
        headers = {"Authorization": f"Bearer {address.token}", "Content-Type": "application/json"}
        try:
            self._connection.request("POST", PATH, body=question, headers=headers)
            response = self._connection.getresponse()
            content = response.read()
            if response.status != 200:
                raise Unreachable(f"MLflow's server said {content[:200].decode('utf-8', 'replace')}")
            return answered(content)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise Unreachable(f"{type(error).__name__}: {error}") from error
