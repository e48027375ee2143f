"""The computes of a workspace, as a notebook or a script holds them."""

from __future__ import annotations

import builtins

from jupyter_mlws.client.async_computes import AsyncComputes
from jupyter_mlws.client.event_loop import EventLoop
from jupyter_mlws.model.compute import Compute, ComputeCheck


class Computes:
    """Where jobs run."""

    def __init__(self, computes: AsyncComputes, loop: EventLoop) -> None:
        self._computes = computes
        self._loop = loop

    def list(self) -> builtins.list[Compute]:
        """Return the computes of the workspace, with what was last known of them."""
        return self._loop.run(self._computes.list())

    def get(self, name: str) -> Compute:
        """Return one compute. Raises `NotFound`."""
        return self._loop.run(self._computes.get(name))

    def create(
        self,
        name: str,
        *,
        url: str,
        type: str = "jupyter",
        token: str | None = None,
        slots: int = 1,
        price_per_hour: float = 0.0,
        kernel: str | None = None,
        check: bool = True,
    ) -> Compute:
        """Make a compute, or change the one of this name; the same again changes nothing.

        Args:
            name: 1 to 64 letters, digits, `.`, `_` and `-`; what `submit(..., compute=name)` takes.
            url: Address of a Jupyter Server or gateway, base URL included. A token in it is taken out.
            type: `jupyter`.
            token: What opens the server; kept for its owner alone and never shown. None: the one that the
                compute has, if it is at this URL already. Empty: none.
            slots: Jobs that run there at once.
            price_per_hour: US dollars for an hour of one job.
            kernel: The kernelspec there that a job runs with when it names none; None: the server's default.
            check: Whether to refuse it when the server cannot be used now.

        Raises:
            Invalid: A value is not valid, or the server cannot be used; it says why.
            Conflict: The name is `local`; or jobs run there, and URL, type or kernel would change.
        """
        return self._loop.run(
            self._computes.create(
                name,
                url=url,
                type=type,
                token=token,
                slots=slots,
                price_per_hour=price_per_hour,
                kernel=kernel,
                check=check,
            )
        )

    def check(self, name: str) -> ComputeCheck:
        """Look whether a job could run there now. Raises `NotFound`."""
        return self._loop.run(self._computes.check(name))

    def delete(self, name: str) -> None:
        """Delete a compute with its token. Raises `NotFound`, or `Conflict` while jobs run or wait there."""
        self._loop.run(self._computes.delete(name))
