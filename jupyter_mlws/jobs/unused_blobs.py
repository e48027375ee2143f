"""Which blobs the jobs of a workspace need, so that the others can be removed."""

from __future__ import annotations

import contextlib
import re

from jupyter_mlws.store.layout import Layout, PathRefused

# In the text of a manifest, whatever its fields are called: one that is overlooked would be lost.
_HASH = re.compile(rb'"([0-9a-f]{64})"')


def in_snapshots(layout: Layout) -> set[str]:
    """Return the hashes of all files in the snapshots of the workspace, whether or not a row knows the job.

    Raises OSError when one of the snapshots cannot be read.
    """
    found: set[str] = set()
    for folder in layout.jobs.iterdir() if layout.jobs.is_dir() else ():
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, PathRefused):
            text = layout.snapshot(folder.name).read_bytes()
            found.update(match.decode() for match in _HASH.findall(text))
    return found
