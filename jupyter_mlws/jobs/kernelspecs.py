"""Which kernelspecs there are here. One that was found is known until its file changes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

from jupyter_mlws.model.errors import Invalid


class KernelUnknown(Invalid):
    """There is no kernelspec of that name, or no interpreter at that path."""

    code = "kernel_unknown"


@dataclass(frozen=True)
class _Known:
    """A kernelspec's file, as it was when it was read."""

    file: Path
    stamp: tuple[int, int]


class Kernelspecs:
    """Looks kernelspecs up by their names. Jupyter's own look takes a millisecond and loads entry points."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def check(self, name: str) -> None:
        """Look whether a kernel of that name can be started here. Reads the disk. Raises `KernelUnknown`."""
        known = self._known.get(name)
        if known is not None and _stamp(known.file) == known.stamp:
            return
        self._known.pop(name, None)
        file = _folder_of(name) / "kernel.json"
        if (stamp := _stamp(file)) is not None:
            self._known[name] = _Known(file, stamp)


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino


def _folder_of(name: str) -> Path:
    manager = KernelSpecManager()
    try:
        return Path(manager.get_kernel_spec(name).resource_dir)
    except (ValueError, OSError) as error:
        raise KernelUnknown(
            f"The kernelspec {name[:100]!r} cannot be read: {str(error)[:200]}.",
            hint="Install it again, or choose another; `jupyter kernelspec list` says where it lies.",
        ) from error
    except NoSuchKernel as error:
        raise KernelUnknown(
            f"There is no kernel {name[:100]!r}.",
            hint=f"There is: {', '.join(sorted(manager.find_kernel_specs()))}. Others are added with "
            "`python -m ipykernel install`.",
        ) from error
