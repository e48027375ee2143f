"""The sockets of MLflow's address as one process of ours has them, from one server to the next."""

from __future__ import annotations

import secrets
from pathlib import Path

from jupyter_mlws.tracking.address import ServerRecord, TrackingAddress
from jupyter_mlws.tracking.handing import take
from jupyter_mlws.tracking.listening import Listening


class KeptSockets:
    """Sockets for the next server; kept between servers while this process stands by."""

    def __init__(self, runtime: Path) -> None:
        self.runtime = runtime
        self.stands_by = False
        self.now: Listening | None = None

    def keep(self, listening: Listening) -> None:
        """Have these from now on, unless this process stands by no more."""
        if self.now is not None:
            self.now.close()
        self.now = listening
        if not self.stands_by:
            self.let_go()

    def let_go(self) -> None:
        """Stand by no more."""
        self.stands_by = False
        if self.now is not None:
            self.now.close()
            self.now = None

    def for_start(self, previous: ServerRecord | None) -> tuple[Listening, TrackingAddress]:
        """Return sockets for a server that is to be started, which are the caller's to close.

        They have the port and the token of `previous`. If another process has that port now, both are new:
        jobs under way would show the token to a stranger. May take 3 seconds. Raises `TrackingFailed`.
        """
        listening = None if previous is None else self._found(previous.port)
        if listening is None:
            listening = Listening.begin(self.runtime, port=previous.port if previous else 0)
        same = previous is not None and previous.port == listening.port
        token = previous.token if previous and same else secrets.token_urlsafe(32)
        url = f"http://127.0.0.1:{listening.port}"
        return listening, TrackingAddress(url=url, token=token, socket=listening.path)

    def listen(self, record: ServerRecord) -> TrackingAddress:
        """Keep sockets at the address of `record`, or at another as `for_start`; return it."""
        if self.now is not None and self.now.port == record.port:
            self.now.renew_path(self.runtime)
            return record.address
        if self.now is not None:
            self.now.close()
            self.now = None
        listening, address = self.for_start(record)
        self.keep(listening)
        return address

    def _found(self, port: int) -> Listening | None:
        """Return those that were kept since the last server, here or by the leading Jupyter server."""
        kept = take(self.runtime) if self.now is None else self.now.again()
        if kept is None:
            return None
        if kept.port != port:
            kept.close()
            return None
        try:
            kept.renew_path(self.runtime)
        except BaseException:
            kept.close()
            raise
        return kept
