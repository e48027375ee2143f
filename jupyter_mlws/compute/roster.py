"""The one place where computes are found: `local`, and those of the database, whichever server made them."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from jupyter_mlws.compute.backend import ComputeBackend
from jupyter_mlws.compute.builders import Builder, Means
from jupyter_mlws.compute.warm_kernels import WarmKernels
from jupyter_mlws.model.compute import ComputeSpec
from jupyter_mlws.model.errors import NotFound
from jupyter_mlws.store import computes as rows
from jupyter_mlws.store.computes import ComputeRow
from jupyter_mlws.store.tokens import Tokens
from jupyter_mlws.store.transaction import Transaction


class ComputeUnknown(NotFound):
    """There is no compute of that name."""

    code = "compute_unknown"


class Computes:
    """Makes backends from rows; used from any thread."""

    def __init__(
        self,
        local: ComputeBackend,
        *,
        tokens: Tokens,
        builders: Mapping[str, Builder],
        warm: WarmKernels | None = None,
    ) -> None:
        """`warm` keeps kernels ready on computes that are other Jupyter servers."""
        self.local = local
        self.builders = builders
        self._tokens = tokens
        self._warm = warm
        self._built: dict[str, tuple[ComputeSpec, str | None, ComputeBackend]] = {}
        self._building = threading.Lock()

    def seen(self, tx: Transaction) -> dict[str, ComputeBackend]:
        """Return all computes by name, as they are in this transaction."""
        return {self.local.name: self.local, **{row.spec.name: self.backend(row) for row in rows.read(tx)}}

    def backend(self, row: ComputeRow) -> ComputeBackend:
        """Return the backend of a row: the same one as long as the row says the same."""
        name = row.spec.name
        with self._building:
            spec, token, backend = self._built.get(name, (None, None, None))
            if backend is None or (spec, token) != (row.spec, row.token):
                means = Means(
                    token=lambda: self._tokens.read(row.token),
                    token_file=None if row.token is None else self._tokens.path(row.token),
                    launch=self.local.launch,
                    warm=self._warm,
                )
                backend = self.builders[row.spec.type](row.spec, means)
                self._built[name] = (row.spec, row.token, backend)
            return backend

    def sketch(self, spec: ComputeSpec, *, token: str | None) -> ComputeBackend:
        """Return a backend that is none of the workspace's yet: to be looked at, not to run jobs."""
        means = Means(token=lambda: token, token_file=None, launch=self.local.launch)
        return self.builders[spec.type](spec, means)


def unknown(name: str, there_is: Mapping[str, ComputeBackend]) -> ComputeUnknown:
    """Return that there is no compute of this name, and which there are."""
    return ComputeUnknown(
        f"There is no compute {name[:100]!r}.", hint=f"There is: {', '.join(sorted(there_is))}."
    )
