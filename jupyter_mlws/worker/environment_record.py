"""Which distributions the kernel's interpreter has, read from their metadata on disk."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Sequence
from importlib import metadata

from jupyter_mlws.model.events import EnvironmentSeen

_PAUSE = 0.0005  # seconds


def environment_record(*, python: str, path: Sequence[str]) -> EnvironmentSeen:
    """Return the record of the environment whose `sys.path` is `path`. Takes some 100 ms of disk.

    Of a distribution that is found twice the first counts, as for an import.
    """
    requirements: dict[str, str] = {}
    # The first entry of a kernel is the folder that it runs in, which is no part of its environment.
    for distribution in metadata.distributions(path=[entry for entry in path if entry]):
        # Beside the job's first outputs, which must not wait for this thread to let go of the interpreter.
        time.sleep(_PAUSE)
        try:
            name, requirement = distribution.metadata["Name"], _requirement(distribution)
        except Exception:  # noqa: S112 - a broken dist-info is no reason to have no record at all
            continue
        if name:
            requirements.setdefault(_key(name), requirement)
    return _record(requirements, python)


def environment_told(told: str, *, python: str) -> EnvironmentSeen:
    """Return the same record of what a kernel elsewhere tells; see kernels/remote/inside_machine.py."""
    requirements: dict[str, str] = {}
    for name, (version, origin) in json.loads(told).items():
        requirements.setdefault(_key(name), _installs(name, version, origin))
    return _record(requirements, python)


def _record(requirements: dict[str, str], python: str) -> EnvironmentSeen:
    packages = [requirements[name] for name in sorted(requirements)]
    digest = hashlib.sha256("\n".join([python, *packages]).encode()).hexdigest()
    return EnvironmentSeen(t=time.time(), python=python, sha256=digest, packages=packages)


def _key(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _requirement(distribution: metadata.Distribution) -> str:
    name = distribution.metadata["Name"]
    return _installs(name, distribution.version, distribution.read_text("direct_url.json"))


def _installs(name: str, version: str, origin_read: str | None) -> str:
    """Return what installs a distribution again: its version, or where it came from (PEP 610)."""
    origin = json.loads(origin_read or "{}")
    url = origin.get("url")
    if url is None:
        return f"{name}=={version}"
    if origin.get("dir_info", {}).get("editable"):
        return f"-e {url}"
    commit = origin.get("vcs_info", {}).get("commit_id")
    if commit is not None:
        return f"{name} @ {origin['vcs_info']['vcs']}+{url}@{commit}"
    return f"{name} @ {url}"
