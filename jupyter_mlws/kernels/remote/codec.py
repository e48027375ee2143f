"""Messages of kernels as they travel on a Jupyter server's websocket, in both of its protocols. Pure."""

from __future__ import annotations

import json
import struct
import uuid
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

V1 = "v1.kernel.websocket.jupyter.org"
"""The protocol that leaves the parts of a message as they are; a server that lacks it speaks JSON."""
_PARTS = ("header", "parent_header", "metadata", "content")


@dataclass(frozen=True)
class Wire:
    """One message of a kernel: four parts in JSON, and buffers."""

    channel: str
    header: bytes
    parent: bytes = b"{}"
    metadata: bytes = b"{}"
    content: bytes = b"{}"
    buffers: list[bytes] = field(default_factory=list)

    @property
    def frames(self) -> list[bytes]:
        """The parts in the order of the kernel's protocol."""
        return [self.header, self.parent, self.metadata, self.content, *self.buffers]

    @classmethod
    def of(cls, channel: str, frames: list[bytes]) -> Wire:
        """Return the message of these parts. Raises ValueError when there are fewer than four."""
        if len(frames) < len(_PARTS):
            raise ValueError(f"a message of {len(frames)} parts")
        header, parent, metadata, content, *buffers = frames
        return cls(channel, header, parent, metadata, content, buffers)

    @property
    def id(self) -> str:
        """The message's own id."""
        return str(_loads(self.header).get("msg_id", ""))

    @property
    def type(self) -> str:
        """What kind of message it is."""
        return str(_loads(self.header).get("msg_type", ""))

    @property
    def session(self) -> str:
        """The session of whoever made it; a kernel that was restarted has another one."""
        return str(_loads(self.header).get("session", ""))

    @property
    def parent_id(self) -> str:
        """The id of the request that it belongs to; '' for none."""
        return str(_loads(self.parent).get("msg_id", ""))

    def anew(self) -> Wire:
        """Return the message as one to be sent again: a kernel drops what has a signature that it knows."""
        metadata = {**_loads(self.metadata), "again": uuid.uuid4().hex}
        return replace(self, metadata=json.dumps(metadata).encode())

    @property
    def number(self) -> int | None:
        """Its number among what the kernel sent, where the kernel numbers; see `inside`."""
        if b'"mlws"' not in self.metadata:
            return None
        number = _loads(self.metadata).get("mlws")
        return number if isinstance(number, int) else None


def encode(wire: Wire, *, protocol: str | None) -> bytes | str:
    """Return the websocket message; bytes are sent as binary, str as text."""
    if protocol == V1:
        channel = wire.channel.encode()
        offsets = [8 * (len(wire.frames) + 3)]
        for part in (channel, *wire.frames):
            offsets.append(offsets[-1] + len(part))
        head = struct.pack(f"<{len(offsets) + 1}Q", len(offsets), *offsets)
        return b"".join((head, channel, *wire.frames))
    text = b"{" + b",".join(
        b'"%s":%s' % (name.encode(), part) for name, part in zip(_PARTS, wire.frames[:4], strict=True)
    )
    text += b',"channel":%s' % json.dumps(wire.channel).encode()
    if not wire.buffers:
        return (text + b',"buffers":[]}').decode()
    parts = [text + b"}", *wire.buffers]
    offsets = [4 * (len(parts) + 1)]
    for part in parts[:-1]:
        offsets.append(offsets[-1] + len(part))
    return b"".join((struct.pack(f"!{len(offsets) + 1}I", len(parts), *offsets), *parts))


def decode(data: bytes | str, *, protocol: str | None) -> Wire:
    """Return the message in `data`. Raises ValueError when it is none."""
    try:
        if protocol == V1 and isinstance(data, bytes):
            return _decode_v1(data)
        return _decode_json(data)
    except (struct.error, IndexError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a kernel's message: {error!r}") from error


def _decode_v1(data: bytes) -> Wire:
    (count,) = struct.unpack_from("<Q", data)
    offsets = struct.unpack_from(f"<{count}Q", data, 8)
    parts = [data[start:end] for start, end in pairwise(offsets)]
    return Wire.of(parts[0].decode(), parts[1:])


def _decode_json(data: bytes | str) -> Wire:
    buffers: list[bytes] = []
    if isinstance(data, bytes):
        (count,) = struct.unpack_from("!I", data)
        offsets = [*struct.unpack_from(f"!{count}I", data, 4), len(data)]
        parts = [data[start:end] for start, end in pairwise(offsets)]
        data, buffers = parts[0].decode(), parts[1:]
    message = json.loads(data)
    frames = [json.dumps(message.get(name) or {}).encode() for name in _PARTS]
    return Wire.of(message.get("channel") or "iopub", [*frames, *buffers])


def _loads(part: bytes) -> dict[str, Any]:
    found = json.loads(part or b"{}")
    return found if isinstance(found, dict) else {}
