"""What a job's kernel is handed: sets the environment, and has mlflow log into the job's run by the spool.

This one file is standalone, and so are those that it brings along (see `tracking/handover.py`). Nothing of
mlflow is imported before the user does it.
"""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Any

PREFIX = "_mlws_tracking_"


def install(handed: dict[str, Any], sink: Any = None) -> None:
    """Set the environment that is handed over, and make mlflow log into its `MLFLOW_RUN_ID`.

    Once, before the user's code. Records go to the attempt's folder, or to `sink` (see spool.py) where that
    is on another machine.
    """
    environment, settings = handed["environment"], handed["settings"]
    files = _Files(handed["sources"])

    def attach() -> None:
        if settings:
            uri = environment["MLFLOW_TRACKING_URI"]
            files.module("inside_attach").attach(uri, settings, sink=sink, module=files.module)

    files.module("inside").install(environment, attach)


class _Files:
    """The other files, as modules."""

    def __init__(self, sources: dict[str, tuple[str, str | None]]) -> None:
        """Of each the path, and the text where it may not be on this machine."""
        self._sources = sources

    def module(self, name: str) -> ModuleType:
        """Return a file as a module: that which a fork server has made of it, or a new one."""
        full = PREFIX + name
        if full in sys.modules:
            return sys.modules[full]
        path, text = self._sources[name]
        spec = importlib.util.spec_from_file_location(full, path) if text is None else None
        module = ModuleType(full) if spec is None else importlib.util.module_from_spec(spec)
        sys.modules[full] = module
        try:
            if spec is not None and spec.loader is not None:
                spec.loader.exec_module(module)
            else:
                exec(compile(text or "", f"<{full}>", "exec"), vars(module))  # noqa: S102 - our own
        except BaseException:
            del sys.modules[full]
            raise
        return module
