"""A machine-learning workspace inside JupyterLab: jobs, experiments, models and endpoints from a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_mlws.client import aconnect, connect

__all__ = ["aconnect", "connect"]


def __getattr__(name: str) -> Any:
    """Import what is asked for at its first use: `import jupyter_mlws` and `%load_ext` cost nothing."""
    if name in __all__:
        from jupyter_mlws import client

        return getattr(client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load_ipython_extension(shell: Any) -> None:
    """Register `%mlws` and `%%mlws`; called by `%load_ext jupyter_mlws`."""
    from jupyter_mlws.magics import register

    register(shell)


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    from jupyter_mlws.server.extension import MlwsApp

    return [{"module": "jupyter_mlws.server.extension", "app": MlwsApp}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "jupyter-mlws"}]
