"""What a fork server and those who ask it say to each other: packets of JSON, descriptors beside them.

Standard library alone, as everything that a fork server loads.
"""

from __future__ import annotations

import array
import json
import os
import select
import socket
import struct
from pathlib import Path
from typing import Any

PACKET = 1 << 20
"""Bytes at most of one: the variables of a job are in it."""
_DESCRIPTORS = 8


def send(to: socket.socket, content: dict[str, Any], descriptors: list[int] | None = None) -> None:
    """Send one packet. Raises OSError."""
    beside = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
    to.sendmsg([json.dumps(content).encode()], beside)


def receive(source: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Return one packet and its descriptors, which no child inherits by an exec.

    Raises OSError where there is none to come, and ValueError.
    """
    descriptors = array.array("i")
    room = socket.CMSG_SPACE(_DESCRIPTORS * descriptors.itemsize)
    packet, beside, _, _ = source.recvmsg(PACKET, room, socket.MSG_CMSG_CLOEXEC)
    for level, kind, content in beside:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(content[: len(content) - len(content) % descriptors.itemsize])
    if not packet:
        raise ConnectionResetError("the other side is gone")
    return json.loads(packet), list(descriptors)


def bound(path: Path) -> socket.socket:
    """Return a socket at `path`, of this user alone; nobody is listened to yet. Raises OSError."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(path))
    path.chmod(0o600)
    return listener


def is_ours(client: socket.socket) -> bool:
    """Whether whoever asks is this user."""
    credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return bool(struct.unpack("3i", credentials)[1] == os.getuid())


def hung_up(client: socket.socket) -> bool:
    """Whether whoever asked waits for an answer no more."""
    # Nobody says anything further: what can be read is the end.
    ready, _, _ = select.select([client], [], [], 0)
    return bool(ready)
