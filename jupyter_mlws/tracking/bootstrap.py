"""What a job's kernel is handed: sets the environment, and has mlflow log into the job's run by the spool.

This one file is standalone, and so are those that it brings along; `tracking/handover.py` fills in `SETTINGS`
and `SOURCES`. Nothing of mlflow is imported before the user does it.
"""

from __future__ import annotations

import binascii
import importlib.util
import sys
import zlib
from types import ModuleType
from typing import Any

SETTINGS: dict[str, Any] = {}
"""Of the spool: see `handover.Settings`; empty where MLflow is to be asked directly."""
SOURCES: dict[str, tuple[str, str]] = {}
"""The other files by their names: path on the server's machine, and text, packed by zlib in base 64."""
PREFIX = "_mlws_tracking_"


def install(environment: dict[str, str], sink: Any = None) -> None:
    """Set `environment`, and make mlflow log into its `MLFLOW_RUN_ID`; once, before the user's code.

    Records go to the attempt's folder, or to `sink` (see spool.py) where that is on another machine.
    """

    def attach() -> None:
        if SETTINGS:
            uri = environment["MLFLOW_TRACKING_URI"]
            _module("inside_attach").attach(uri, SETTINGS, sink=sink, module=_module)

    _module("inside").install(environment, attach)


def _module(name: str) -> ModuleType:
    """Return a file as a module; from its place on the disk, which spares compiling it, if it is the same."""
    full = PREFIX + name
    if full in sys.modules:
        return sys.modules[full]
    path, packed = SOURCES[name]
    source = zlib.decompress(binascii.a2b_base64(packed)).decode("utf-8")
    spec = importlib.util.spec_from_file_location(full, path) if _holds(path, source) else None
    module = ModuleType(full) if spec is None else importlib.util.module_from_spec(spec)
    sys.modules[full] = module
    try:
        if spec is None or spec.loader is None:
            exec(compile(source, f"<{full}>", "exec"), vars(module))  # noqa: S102 - our own source
        else:
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[full]
        raise
    return module


def _holds(path: str, source: str) -> bool:
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read() == source
    except (OSError, ValueError):
        return False
