"""Files of a job on a machine that shares no disk with ours: brought there and back in pieces."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Awaitable, Iterator
from enum import Enum
from pathlib import Path, PurePosixPath

from jupyter_mlws.kernels.remote.caller import Caller, CallFailed
from jupyter_mlws.model.errors import Invalid
from jupyter_mlws.model.sizes import size

_PIECE = 1 << 20  # bytes; a tenth of what a Jupyter server takes in one message
_AT_ONCE = 8  # pieces under way
_WORK, _INPUTS, _LOGGED = "work", "inputs", "logged"


class TransferFailed(Invalid):
    """A file could not be written or read on the other machine."""

    code = "transfer_failed"


class RemoteFiles:
    """The folder of a job beside its kernel, on another machine."""

    def __init__(self, caller: Caller, *, name: str, folder: str) -> None:
        """`name` is the compute's; `folder` is the one that the kernel runs in."""
        self._caller, self.where = caller, name
        self.folder = folder
        self.sink = "__import__('sys').modules['_mlws_remote'].remote"

    async def bring(self, path: Path) -> str:
        """Copy a file of ours there; return its path there. Raises `TransferFailed`, OSError."""
        there = f"{_INPUTS}/{path.name}"
        await self._write(path, there)
        return self._absolute(there)

    async def bring_folder(self, folder: Path) -> None:
        """Copy what is in a folder of ours into the kernel's. Raises `TransferFailed`, OSError."""
        found = await asyncio.to_thread(lambda: list(_walk(folder)))
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(path: Path, kind: _Kind) -> None:
            async with gate:
                there = f"{_WORK}/{path.relative_to(folder).as_posix()}"
                if kind is _Kind.LINK:
                    await self._ask("link", there, path=there, to=await asyncio.to_thread(os.readlink, path))
                elif kind is _Kind.FOLDER:
                    await self._ask("folder", there, path=there)
                else:
                    await self._write(path, there)

        await _all(one(path, kind) for path, kind in found)

    async def place(self, folder: Path) -> str:
        """Return the path there of a new folder, for what is to be collected into our `folder`."""
        await self._ask("folder", folder.name, path=folder.name)
        return self._absolute(folder.name)

    async def collect(self, folder: Path) -> None:
        """Copy what the kernel left in the place of `folder` into it. Raises `TransferFailed`, OSError."""
        listed = await self._caller.call("list", path=folder.name)
        for name, length in listed.content["files"]:
            # Written by the user's code: what does not stay inside is not for us.
            here = folder / name
            if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
                continue
            here.parent.mkdir(parents=True, exist_ok=True)
            await self._read(f"{folder.name}/{name}", here, length)
        await self._caller.call("forget", path=folder.name)

    async def fetch_logged(self, name: str, here: Path, *, length: int) -> None:
        """Copy a file that was logged there to `here`, and forget it there. Raises as `collect` does."""
        await self._read(f"{_LOGGED}/{name}", here, length)
        await self._caller.call("forget", path=f"{_LOGGED}/{name}")

    async def _write(self, path: Path, there: str) -> None:
        status = await asyncio.to_thread(path.stat)
        length, gate = status.st_size, asyncio.Semaphore(_AT_ONCE)
        descriptor = await asyncio.to_thread(os.open, path, os.O_RDONLY)

        async def piece(at: int) -> None:
            async with gate:
                data = await asyncio.to_thread(os.pread, descriptor, _PIECE, at)
                last = at + _PIECE >= length
                mode = 0o700 if status.st_mode & 0o100 else 0o600
                await self._ask(
                    "write", path.name, buffers=[data], path=there, at=at, last=last, size=length, mode=mode
                )

        try:
            await _all(piece(at) for at in range(0, max(length, 1), _PIECE))
        finally:
            os.close(descriptor)

    async def _read(self, there: str, here: Path, length: int) -> None:
        gate = asyncio.Semaphore(_AT_ONCE)
        descriptor = await asyncio.to_thread(os.open, here, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)

        async def piece(at: int) -> None:
            async with gate:
                wanted = min(_PIECE, length - at)
                answer = await self._ask("read", there, path=there, at=at, size=wanted)
                data = b"".join(answer)
                if len(data) != wanted:
                    raise TransferFailed(f"{there!r} changed on {self.where} while it was fetched.")
                await asyncio.to_thread(os.pwrite, descriptor, data, at)

        try:
            await _all(piece(at) for at in range(0, length, _PIECE))
        finally:
            os.close(descriptor)

    async def _ask(
        self, do: str, what: str, *, buffers: list[bytes] | None = None, **content: object
    ) -> list[bytes]:
        try:
            return (await self._caller.call(do, buffers=buffers or (), **content)).buffers
        except CallFailed as error:
            if error.number in (errno.ENOSPC, errno.EDQUOT):
                sent = f" ({size(sum(map(len, buffers)))} more)" if buffers else ""
                raise TransferFailed(
                    f"The disk of {self.where} is full: {what!r} could not be written there{sent}.",
                    hint=f"Make room for temporary files on {self.where}, and run the job again.",
                ) from error
            raise TransferFailed(
                f"{what!r} could not be brought to or from {self.where}: {error.kind}: {error.text}."
            ) from error

    def _absolute(self, path: str) -> str:
        return str(PurePosixPath(self.folder).parent / path)


class _Kind(Enum):
    FILE = "file"
    FOLDER = "folder"
    LINK = "link"


def _walk(folder: Path) -> Iterator[tuple[Path, _Kind]]:
    """Give the files of a folder, its links, and the folders in it that are empty."""
    for root, folders, names in os.walk(folder):
        here = Path(root)
        for name in folders:
            path = here / name
            if path.is_symlink():
                yield path, _Kind.LINK
            elif not any(path.iterdir()):
                yield path, _Kind.FOLDER
        for name in names:
            path = here / name
            if path.is_symlink():
                yield path, _Kind.LINK
            elif path.is_file():
                yield path, _Kind.FILE


async def _all(work: Iterator[Awaitable[None]]) -> None:
    """Do all of it; the first that fails ends the others."""
    try:
        async with asyncio.TaskGroup() as group:
            for each in work:
                group.create_task(_awaited(each))
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None


async def _awaited(work: Awaitable[None]) -> None:
    await work
