"""Blobs stream to disk, are kept when their hash is right, and leave nothing behind when they break off."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

if TYPE_CHECKING:
    from tests.fixtures.servers import RunningServer

PIECE = os.urandom(2**20)


def incoming(server: RunningServer) -> list[str]:
    folder = server.workspace / "blobs" / "incoming"
    return [file.name for file in folder.iterdir()] if folder.exists() else []


def test_a_blob_is_kept_once(api: httpx.Client) -> None:
    content = os.urandom(100_000)
    sha = hashlib.sha256(content).hexdigest()
    assert api.head(f"/blobs/{sha}").status_code == 404
    first = api.put(f"/blobs/{sha}", content=content)
    assert (first.status_code, first.json()) == (201, {"sha256": sha, "size": 100_000})
    assert api.put(f"/blobs/{sha}", content=content).status_code == 200
    assert api.head(f"/blobs/{sha}").status_code == 200


def test_a_file_on_this_machine_is_handed_over_and_not_sent(
    jupyter_server: RunningServer, api: httpx.Client
) -> None:
    content, name = os.urandom(2_000_000), "0123456789abcdef" * 2
    sha = hashlib.sha256(content).hexdigest()
    folder = jupyter_server.workspace / "blobs" / "incoming"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    answer = api.put(f"/blobs/{sha}", params={"incoming": name})
    assert (answer.status_code, answer.json()) == (201, {"sha256": sha, "size": len(content)})
    assert api.head(f"/blobs/{sha}").status_code == 200
    assert incoming(jupyter_server) == []
    gone = api.put(f"/blobs/{sha}", params={"incoming": name})
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "blob_not_found")
    wrong = api.put(f"/blobs/{sha}", params={"incoming": "../../../etc/passwd"})
    assert wrong.status_code == 422


def test_an_empty_blob(api: httpx.Client) -> None:
    sha = hashlib.sha256().hexdigest()
    assert api.put(f"/blobs/{sha}", content=b"").json()["size"] == 0


def test_more_than_memory_is_asked_for(jupyter_server: RunningServer, api: httpx.Client) -> None:
    # More than Jupyter's own limit for a body (512 MiB), without a length and far beyond what is held.
    pieces = 600

    def body() -> Iterator[bytes]:
        for _ in range(pieces):
            yield PIECE

    hashed = hashlib.sha256()
    for _ in range(pieces):
        hashed.update(PIECE)
    process = psutil.Process(jupyter_server.process.pid)
    before = process.memory_info().rss
    answer = api.put(f"/blobs/{hashed.hexdigest()}", content=body())
    assert answer.status_code == 201, answer.text
    assert process.memory_info().rss - before < 100 * 2**20
    (file,) = jupyter_server.workspace.joinpath("blobs").glob(f"*/{hashed.hexdigest()}")
    assert file.stat().st_size == pieces * len(PIECE)
    assert file.stat().st_mode & 0o077 == 0


def test_the_wrong_hash_keeps_nothing(
    jupyter_server: RunningServer, api: httpx.Client, an_error: Any
) -> None:
    sha = hashlib.sha256(b"other").hexdigest()
    error = an_error(api.put(f"/blobs/{sha}", content=PIECE * 3), 422)
    assert sha in error["message"]
    assert api.head(f"/blobs/{sha}").status_code == 404
    assert incoming(jupyter_server) == []


@pytest.mark.parametrize(
    "name", ["x", "..", "A" * 64, "a" * 63, "..%2f..%2fmlws.db", "%00" * 64, "a" * 10_000]
)
def test_a_name_that_is_no_hash(api: httpx.Client, an_error: Any, name: str) -> None:
    an_error(api.put(f"/blobs/{name}", content=b"x"), 404 if name == ".." else 422)


def test_an_upload_that_breaks_off_leaves_nothing(jupyter_server: RunningServer, wait_for: Any) -> None:
    parts = urlsplit(jupyter_server.api)
    assert parts.hostname is not None
    with socket.create_connection((parts.hostname, parts.port or 80)) as connection:
        head = (
            f"PUT {parts.path}/blobs/{'a' * 64} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            f"Authorization: token {jupyter_server.token}\r\nContent-Length: 1000000000\r\n\r\n"
        )
        connection.sendall(head.encode())
        for _ in range(5):
            connection.sendall(PIECE)
        wait_for(lambda: incoming(jupyter_server), what="the upload's file")
    wait_for(lambda: not incoming(jupyter_server), what="the end of the upload's file")


def test_an_upload_without_a_user_is_not_taken(jupyter_server: RunningServer) -> None:
    answer = httpx.put(f"{jupyter_server.api}/blobs/{'b' * 64}", content=b"x" * 1000)
    assert answer.status_code == 401
    assert incoming(jupyter_server) == []


def test_the_server_answers_others_meanwhile(jupyter_server: RunningServer, api: httpx.Client) -> None:
    def body() -> Iterator[bytes]:
        for number in range(50):
            if number % 10 == 0:
                assert api.get("/computes").status_code == 200
            yield PIECE

    sha = hashlib.sha256(PIECE * 50).hexdigest()
    with jupyter_server.client() as sender:
        assert sender.put(f"/blobs/{sha}", content=body()).status_code == 201
