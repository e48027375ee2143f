"""Tokens of other servers: each in a file for its owner alone (0600), in a folder for its owner alone (0700).

The database holds the id of a file and never a token. A token for another address is another file, so that
none is ever sent where it does not belong; what no row names is removed.
"""

from __future__ import annotations

import contextlib
import re
import stat
import time
from collections.abc import Set
from pathlib import Path

from jupyter_mlws.model.errors import NotReady
from jupyter_mlws.model.identity import ID_PATTERN, new_id
from jupyter_mlws.store.durable import make_folder, refusals, write_atomically
from jupyter_mlws.store.layout import PathRefused

_ORPHAN_SECONDS = 3600.0  # a younger one may be of a row that is being written
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class TokenNotPrivate(NotReady):
    """The workspace's file system cannot keep a file from other users."""

    code = "token_not_private"


class Tokens:
    """The tokens in `folder`, which is made with the first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, token: str, *, id: str | None = None) -> str:
        """Write a token, over that of `id` if given; return its id.

        Raises `TokenNotPrivate`, `WorkspaceReadOnly`, `DiskFull`.
        """
        id = id or new_id()
        path = self.path(id)
        with refusals(self._folder):
            make_folder(self._folder)
            # Made by somebody else, or copied: its mode is not to be trusted.
            self._folder.chmod(0o700)
            self._check_private(self._folder)
            write_atomically(path, token.encode())
            try:
                self._check_private(path)
            except TokenNotPrivate:
                path.unlink()
                raise
        return id

    def path(self, id: str) -> Path:
        """Return the file of a token, for whoever reads it anew at each use. Raises `PathRefused`."""
        if re.fullmatch(ID_PATTERN, id) is None:
            raise PathRefused(f"{id[:100]!r} is not the id of a token.")
        return self._folder / id

    def read(self, id: str | None) -> str | None:
        """Return a token; None where there is none, or its file is gone."""
        if id is None:
            return None
        try:
            return self.path(id).read_text("utf-8")
        except OSError:
            return None

    def forget(self, id: str | None) -> None:
        """Remove a token, if it is there."""
        if id is not None:
            with refusals(self._folder):
                self.path(id).unlink(missing_ok=True)

    def sweep(self, known: Set[str]) -> None:
        """Remove what is not `known` and not being written just now: its writer was killed before the row."""
        if not self._folder.is_dir():
            return
        for path in self._folder.iterdir():
            # Another server may be tidying up too, or a writer be done with its temporary file.
            with contextlib.suppress(FileNotFoundError):
                if path.name not in known and time.time() - path.stat().st_mtime > _ORPHAN_SECONDS:
                    path.unlink()

    def _check_private(self, path: Path) -> None:
        if path.stat().st_mode & _OTHERS:
            raise TokenNotPrivate(
                f"Other users could read the token in {self._folder}: that disk keeps no modes.",
                hint="Put the workspace on one that does, and choose it with MLWS_WORKSPACE.",
            )
