"""Ships a spool (tracking/spool.py) to MLflow's server: in order, in batches, and harmlessly again.

This one file is standalone: the kernel ships itself before it reads. Standard library alone, Python 3.9
or later. One process at a time ships, by a lock; how far it came is written after each answer, so that
a crash in between sends the last piece again: metrics that are there already count once, parameters
and models that are there with the same values are right, artifacts are put in their places again.

What MLflow refuses is not tried for ever: it is noted in `refused.jsonl` with MLflow's words, and left out.
"""

from __future__ import annotations

import errno
import fcntl
import http.client
import json
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

RECORDS, FILES = "records.jsonl", "files"  # as in tracking/spool.py
STATE, LOCK, REFUSED = "shipped.json", "lock", "refused.jsonl"

METRICS, PAIRS, BYTES = 1000, 100, 400_000
"""Of one batch: MLflow takes 1,000 metrics, 100 parameters and 100 tags, and a million bytes."""
_BATCH = "/api/2.0/mlflow/runs/log-batch"
_API = "/api/2.0/mlflow/"
_PUT = "/api/2.0/mlflow-artifacts/artifacts/"
_PIECE = 4 << 20
_TRIES = 5  # of what MLflow answers with an error of its own, before it is left out
_SECONDS = 30.0
_UPLOAD_SECONDS = 300.0
_NOT_ITS_FAULT = (401, 403, 408, 425, 429)


class Unreachable(Exception):
    """MLflow's server gave no answer, or is not to be spoken to; nothing is lost by it."""


class Busy(Unreachable):
    """Somebody else ships just now."""


class Refused(Exception):
    """MLflow's server does not take a request; the text is its own."""


class _Failed(Exception):
    """MLflow's server failed over a request; another time it may not."""


class Address(NamedTuple):
    """Where MLflow's server is."""

    host: str
    port: int
    token: str


class State(NamedTuple):
    """How far a spool was shipped."""

    offset: int = 0
    """Bytes of the records."""
    tries: int = 0
    """At the piece that follows, which MLflow's server failed over."""
    ended: bool = False
    """Whether the end of the job's run was among it."""


def address_in(path: str) -> Address:
    """Return the address in the file `server.json`. Raises `Unreachable`."""
    try:
        with open(path, "rb") as stream:
            known = json.loads(stream.read())
        return Address("127.0.0.1", int(known["port"]), str(known["token"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unreachable(f"its address cannot be read: {error}") from error


def state_of(folder: str) -> State:
    """Return how far the spool in `folder` was shipped."""
    try:
        with open(os.path.join(folder, STATE), "rb") as stream:
            known = json.loads(stream.read())
        return State(int(known["offset"]), int(known["tries"]), bool(known["ended"]))
    except (OSError, ValueError, KeyError, TypeError):
        return State()


def left(folder: str) -> int:
    """Return the bytes of the spool in `folder` that are not shipped yet."""
    try:
        return os.stat(os.path.join(folder, RECORDS)).st_size - state_of(folder).offset
    except OSError:
        return 0


def ship(folder: str, *, address: Callable[[], Address], artifacts: str | None, wait: bool = False) -> State:
    """Ship all that is in the spool in `folder` now; return how far it came.

    `artifacts` is the folder in which MLflow's server keeps them, where it is on this machine: files are
    moved there, which is quicker than any request and takes no room. None: they are uploaded.

    Raises `Busy` when another ships and `wait` is not set, and `Unreachable`.
    """
    if left(folder) <= 0:
        return state_of(folder)
    lock = os.open(os.path.join(folder, LOCK), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _take(lock, wait)
        try:
            return _Shipment(folder, address, artifacts).run()
        finally:
            # A process forked meanwhile has the descriptor too; closing it would not be enough.
            fcntl.flock(lock, fcntl.LOCK_UN)
    finally:
        os.close(lock)


def _take(lock: int, wait: bool) -> None:
    deadline = time.monotonic() + _SECONDS
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not wait or time.monotonic() > deadline:
                raise Busy("another process ships just now.") from None
        time.sleep(0.005)


class Piece:
    """Records that are sent together, and the offset after them."""

    def __init__(self) -> None:
        self.end = 0
        self.records: list[dict[str, Any]] = []
        self._runs: dict[str, dict[str, Any]] = {}
        self._bytes = 0

    def takes(self, record: dict[str, Any], size: int) -> bool:
        """Whether `record` of `size` bytes may be sent with what is here: order within a run is kept."""
        if not self.records:
            return True
        if "run" not in record or "run" not in self.records[0]:
            return False
        batch = self._runs.get(record["run"])
        if batch is None:
            return self._bytes + size <= BYTES
        params = {each["key"]: each["value"] for each in record.get("params", ())}
        return (
            self._bytes + size <= BYTES
            and batch["count"] + _count(record) <= METRICS
            and len(batch["params"].keys() | params.keys()) <= PAIRS
            and len(batch["tags"].keys() | {each["key"] for each in record.get("tags", ())}) <= PAIRS
            and all(batch["params"].get(key, value) == value for key, value in params.items())
        )

    def add(self, record: dict[str, Any], size: int) -> None:
        """Take `record` in."""
        self.records.append(record)
        if "run" not in record:
            return
        self._bytes += size
        empty: dict[str, Any] = {"count": 0, "metrics": [], "params": {}, "tags": {}}
        batch = self._runs.setdefault(record["run"], empty)
        batch["count"] += _count(record)
        batch["metrics"] += record.get("metrics", ())
        batch["params"].update((each["key"], each["value"]) for each in record.get("params", ()))
        batch["tags"].update((each["key"], each["value"]) for each in record.get("tags", ()))

    def bodies(self) -> list[dict[str, Any]]:
        """Return the body of one batch for each run."""
        return [
            {
                "run_id": run,
                "metrics": batch["metrics"],
                "params": [{"key": key, "value": value} for key, value in batch["params"].items()],
                "tags": [{"key": key, "value": value} for key, value in batch["tags"].items()],
            }
            for run, batch in self._runs.items()
        ]


def _count(record: dict[str, Any]) -> int:
    return sum(len(record.get(kind, ())) for kind in ("metrics", "params", "tags"))


def pieces(lines: Iterator[tuple[bytes, int]]) -> Iterator[Piece]:
    """Put records together as far as one request may hold them; `lines` come with the offset after each.

    A line that cannot be read becomes the record `{"broken": line}`.
    """
    piece = Piece()
    for line, end in lines:
        record = _parsed(line)
        if record is not None and not piece.takes(record, len(line)):
            yield piece
            piece = Piece()
        piece.end = end
        if record is not None:
            piece.add(record, len(line))
    if piece.end:
        yield piece


def _parsed(line: bytes) -> dict[str, Any] | None:
    if not line.strip():
        return None
    try:
        record = json.loads(line)
        known = ("run", "method", "artifact", "end", "wake")
        if isinstance(record, dict) and any(key in record for key in known):
            return None if "wake" in record else record
    except ValueError:
        pass
    return {"broken": line[:200].decode("utf-8", "replace")}


def read_lines(path: str, offset: int) -> Iterator[tuple[bytes, int]]:
    """Give the whole lines of the file at `path` from `offset` on, each with the offset after it."""
    with open(path, "rb") as stream:
        stream.seek(offset)
        rest = b""
        while True:
            piece = stream.read(_PIECE)
            if not piece:
                return  # what is left is still being written
            lines = (rest + piece).split(b"\n")
            rest = lines.pop()
            for line in lines:
                offset += len(line) + 1
                yield line, offset


class _Shipment:
    def __init__(self, folder: str, address: Callable[[], Address], artifacts: str | None) -> None:
        self._folder = folder
        self._artifacts = artifacts
        self._http = Http(address)
        self._state = state_of(folder)

    def run(self) -> State:
        try:
            for piece in pieces(read_lines(os.path.join(self._folder, RECORDS), self._state.offset)):
                self._send(piece)
        finally:
            self._http.close()
        return self._state

    def _send(self, piece: Piece) -> None:
        try:
            self._send_together(piece)
        except Refused:
            # One of them is wrong: the others are not to suffer for it.
            self._send_each(piece)
        except _Failed as error:
            if self._state.tries + 1 < _TRIES:
                self._note(self._state._replace(tries=self._state.tries + 1))
                raise Unreachable(str(error)) from error
            self._send_each(piece)
        ended = self._state.ended or any("end" in record for record in piece.records)
        self._note(State(offset=piece.end, tries=0, ended=ended))

    def _send_together(self, piece: Piece) -> None:
        if piece.records and "run" in piece.records[0]:
            for body in piece.bodies():
                self._http.json("POST", _BATCH, body)
        else:
            for record in piece.records:
                self._send_one(record)

    def _send_each(self, piece: Piece) -> None:
        for record in piece.records:
            try:
                self._send_one(record)
            except (Refused, _Failed) as error:
                self._refuse(record, str(error))

    def _send_one(self, record: dict[str, Any]) -> None:
        if "broken" in record:
            raise Refused("the record cannot be read: {}".format(record["broken"]))
        if "artifact" in record:
            self._place(record["artifact"], record["file"])
        elif "end" in record:
            self._end(record)
        elif "run" in record:
            piece = Piece()
            piece.add(record, 0)
            self._http.json("POST", _BATCH, piece.bodies()[0])
        else:
            self._http.json(record["method"], record["path"], record.get("body"))

    def _place(self, artifact: str, name: str) -> None:
        """Move a file to where the artifact belongs, or upload it."""
        if os.path.basename(name) != name or not _stays_inside(artifact):
            raise Refused(f"{artifact[:200]!r} is not the path of an artifact.")
        source = os.path.join(self._folder, FILES, name)
        if self._artifacts is None:
            return self._upload(artifact, source)
        target = os.path.join(self._artifacts, *artifact.split("/"))
        try:
            is_file = stat.S_ISREG(os.lstat(source).st_mode)
        except FileNotFoundError:
            if os.path.exists(target):
                return  # the last time, just before a crash
            raise Refused("its file is gone.") from None
        if not is_file:
            raise Refused("it is not a file.")
        try:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            _move(source, target)
        except (NotADirectoryError, IsADirectoryError, FileExistsError) as error:
            raise Refused(f"{error.strerror}.") from error
        except OSError as error:
            raise Unreachable(f"an artifact cannot be put in its place: {error}") from error

    def _upload(self, artifact: str, source: str) -> None:
        try:
            with open(source, "rb") as stream:
                self._http.upload(artifact, stream, os.fstat(stream.fileno()).st_size)
        except FileNotFoundError:
            return  # the last time, just before a crash
        os.unlink(source)

    def _end(self, record: dict[str, Any]) -> None:
        """End the job's run, and the runs under it that were not ended because the job was killed."""
        query = {
            "experiment_ids": [record["experiment"]],
            "filter": "tags.`mlflow.parentRunId` = '{}' and attributes.status = 'RUNNING'".format(
                record["end"]
            ),
            "max_results": 1000,
        }
        found = self._http.json("POST", _API + "runs/search", query).get("runs", [])
        for run in [*(each["info"]["run_id"] for each in found), record["end"]]:
            body = {"run_id": run, "status": record["status"], "end_time": record["end_time"]}
            self._http.json("POST", _API + "runs/update", body)

    def _refuse(self, record: dict[str, Any], message: str) -> None:
        line = json.dumps({"what": described(record), "message": message[:2000]}) + "\n"
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        descriptor = os.open(os.path.join(self._folder, REFUSED), flags, 0o600)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)

    def _note(self, state: State) -> None:
        self._state = state
        incoming = os.path.join(self._folder, f"{STATE}.{os.getpid()}")
        with open(incoming, "w") as stream:
            json.dump(state._asdict(), stream)
        os.replace(incoming, os.path.join(self._folder, STATE))


def _stays_inside(path: str) -> bool:
    return bool(path) and all(part not in ("", ".", "..") and "\0" not in part for part in path.split("/"))


def _move(source: str, target: str) -> None:
    try:
        os.replace(source, target)
    except OSError as error:
        if not os.path.exists(source) or error.errno != errno.EXDEV:
            raise
        shutil.copyfile(source, target + ".incoming")
        os.replace(target + ".incoming", target)
        os.unlink(source)


def described(record: dict[str, Any]) -> str:
    """Return in words what a record would log."""
    if "run" in record:
        kinds = ("metrics", "metric"), ("params", "parameter"), ("tags", "tag")
        return ", ".join(
            f"the {word} {each.get('key')}" for kind, word in kinds for each in record.get(kind, ())[:5]
        )
    if "artifact" in record:
        return "the artifact {}".format(record["artifact"])
    if "end" in record:
        return "the end of the run"
    return str(record.get("path", "a record")).replace(_API, "")


class Http:
    """Requests to MLflow's server over one connection; the address is asked for when it is made anew."""

    def __init__(self, address: Callable[[], Address]) -> None:
        self._address = address
        self._connection: http.client.HTTPConnection | None = None
        self._token = ""

    def json(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Send `body` as JSON; return the answer's. Raises `Refused`, `Unreachable`, `_Failed`."""
        content = None if body is None else json.dumps(body).encode()
        answer = self._request(method, path, content, "application/json")
        parsed = json.loads(answer or b"{}")
        return parsed if isinstance(parsed, dict) else {}

    def upload(self, artifact: str, stream: Any, size: int) -> None:
        """Upload an artifact of `size` bytes. Raises as `json`."""
        from urllib.parse import quote

        connection = self._connected()
        if connection.sock is not None:
            connection.sock.settimeout(_UPLOAD_SECONDS)
        self._request("PUT", _PUT + quote(artifact), stream, "application/octet-stream", size=size)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            host, port, self._token = self._address()
            self._connection = http.client.HTTPConnection(host, port, timeout=_SECONDS)
        return self._connection

    def _request(self, method: str, path: str, body: Any, kind: str, *, size: int | None = None) -> bytes:
        connection = self._connected()
        headers = {"Authorization": "Bearer " + self._token, "Content-Type": kind}
        if size is not None:
            headers["Content-Length"] = str(size)
        try:
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unreachable(f"{type(error).__name__}: {error}") from error
        if response.status < 300:
            return answer
        said = _said(answer, response.status)
        if response.status in _NOT_ITS_FAULT or response.status in (502, 503, 504):
            raise Unreachable(said)
        if response.status >= 500:
            raise _Failed(said)
        raise Refused(said)


def _said(answer: bytes, status: int) -> str:
    try:
        return str(json.loads(answer)["message"])
    except (ValueError, KeyError, TypeError):
        return "status {}: {}".format(status, answer[:200].decode("utf-8", "replace"))
