"""A job that is ready to be sent: what is asked for, and the blobs that it needs."""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import IO, Any, BinaryIO, cast

from jupyter_mlws.model.job import Inputs, JobSpec


@dataclass(frozen=True)
class Blob:
    """Bytes that go to the server beside the job."""

    sha256: str
    size: int
    source: IO[bytes]


@dataclass(frozen=True)
class Skipped:
    """A name that the cell reads and that was not sent, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Prepared:
    """Everything that `Jobs.submit` sends. Nothing has left the machine yet."""

    spec: JobSpec
    blobs: list[Blob] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


def blob_of(content: bytes) -> Blob:
    """Return `content` as a blob."""
    return Blob(hashlib.sha256(content).hexdigest(), len(content), io.BytesIO(content))


def packed(variables: Mapping[str, object], *, namespace: MutableMapping[str, Any]) -> tuple[Inputs, Blob]:
    """Return `variables` as one blob in an unnamed temporary file. Raises `CannotCapture`."""
    from jupyter_mlws.capture.packing import pack

    sink = tempfile.TemporaryFile()  # noqa: SIM115 - it is closed with the last reference to the blob
    try:
        inputs = pack(variables, sink=cast(BinaryIO, sink), namespace=namespace)
    except BaseException:
        sink.close()
        raise
    return inputs, Blob(inputs.blob, inputs.size, sink)
