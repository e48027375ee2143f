"""Which version of jupyter_mlws this is."""

from __future__ import annotations

import json
from pathlib import Path


def version() -> str:
    """Return the version of this very code: a checkout's own, whatever is installed beside it."""
    try:
        described = json.loads((Path(__file__).parent.parent / "package.json").read_text("utf-8"))
        if described["name"] == "jupyter-mlws":
            return str(described["version"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # no checkout: what lies beside it is not ours
    from importlib import metadata  # takes longer than all the rest

    try:
        return metadata.version("jupyter_mlws")
    except metadata.PackageNotFoundError:
        return "unknown"
