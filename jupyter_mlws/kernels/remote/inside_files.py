"""The files of a job beside its kernel, as the worker asks for them. A part of `inside`.

Standard library alone, Python 3.9 or later.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import Any

_PIECE = 1 << 20  # bytes of one answer


class Files:
    """Writes and reads in the folder `root`, and nowhere else. Each can be repeated without harm."""

    def __init__(self, root: str) -> None:
        self.root = root

    def do_write(self, content: Any, buffers: Any) -> Any:
        """Write a piece of a file; a file has its whole size from the first piece on."""
        path = self.path(content["path"])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, int(content.get("mode", 0o600)))
        try:
            data = b"".join(bytes(each) for each in buffers)
            os.lseek(descriptor, int(content["at"]), os.SEEK_SET)
            while data:
                data = data[os.write(descriptor, data) :]
            if content.get("last"):
                os.ftruncate(descriptor, int(content["size"]))
        finally:
            os.close(descriptor)
        return {}, []

    def do_link(self, content: Any, buffers: Any) -> Any:
        """Make a link."""
        path = self.path(content["path"])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.symlink(content["to"], path)
        return {}, []

    def do_folder(self, content: Any, buffers: Any) -> Any:
        """Make a folder; return its path."""
        path = self.path(content["path"])
        os.makedirs(path, mode=0o700, exist_ok=True)
        return {"path": path}, []

    def do_list(self, content: Any, buffers: Any) -> Any:
        """List the files of a folder, with their sizes in bytes."""
        root = self.path(content["path"])
        found = []
        for folder, _, names in os.walk(root):
            for name in names:
                path = os.path.join(folder, name)
                found.append([os.path.relpath(path, root), os.path.getsize(path)])
        return {"files": sorted(found)}, []

    def do_read(self, content: Any, buffers: Any) -> Any:
        """Return a piece of a file."""
        with open(self.path(content["path"]), "rb") as stream:
            stream.seek(int(content["at"]))
            return {}, [stream.read(min(int(content["size"]), _PIECE))]

    def do_forget(self, content: Any, buffers: Any) -> Any:
        """Remove a file, or a folder with all in it."""
        path = self.path(content["path"])
        if os.path.isdir(path):
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        return {}, []

    def path(self, path: str) -> str:
        """Return the path of what is in the folder. Raises PermissionError for what is not."""
        full = os.path.normpath(os.path.join(self.root, path))
        if os.path.commonpath([full, self.root]) != self.root:
            raise PermissionError("outside of the job's folder: " + path)
        return full
