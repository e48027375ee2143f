"""Which version of this package is installed."""

from __future__ import annotations

from importlib import metadata


def installed() -> str:
    """Return the version of jupyter_mlws in this environment; `unknown` when it was not installed."""
    try:
        return metadata.version("jupyter_mlws")
    except metadata.PackageNotFoundError:
        return "unknown"
