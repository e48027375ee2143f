"""Has MLflow's server ship the spool of this attempt, so that it has all that was logged before it is read.

This one file is standalone: it runs in the job's kernel. Standard library alone, Python 3.9 or later.
"""

from __future__ import annotations

import http.client
import json
import os
from typing import Any

PATH = "/mlws/ship"  # as in tracking/shipping_request.py
_SECONDS = 60.0


class Unreachable(Exception):
    """MLflow's server has not everything yet; nothing is lost by it. The text says why."""


def flush(folder: str, *, server: str, job: str, attempt: int) -> None:
    """Return when all that is in the spool in `folder` now is in MLflow.

    `server` is the file `server.json`, which says where MLflow's server is. Raises `Unreachable`.
    """
    try:
        wanted = os.stat(os.path.join(folder, "records.jsonl")).st_size
    except OSError:
        return  # nothing was ever logged
    if _shipped(folder) >= wanted:
        return
    before = None
    while True:
        told = _ask(server, job=job, attempt=attempt)
        if told["trouble"] or told["busy"]:
            raise Unreachable(told["trouble"] or "another process ships it just now")
        # Where nothing more is shipped, what is left is no whole line yet.
        if told["offset"] >= wanted or told == before:
            return
        before = told


def _shipped(folder: str) -> int:
    try:
        with open(os.path.join(folder, "shipped.json"), "rb") as stream:
            return int(json.loads(stream.read())["offset"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _ask(server: str, *, job: str, attempt: int) -> dict[str, Any]:
    body = json.dumps({"attempts": [{"job": job, "attempt": attempt}], "wait": True})
    try:
        with open(server, "rb") as stream:
            known = json.loads(stream.read())
        connection = http.client.HTTPConnection("127.0.0.1", int(known["port"]), timeout=_SECONDS)
        try:
            headers = {"Authorization": "Bearer " + known["token"], "Content-Type": "application/json"}
            connection.request("POST", PATH, body=body.encode(), headers=headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:
            raise Unreachable(str(answer["message"]))
        told: dict[str, Any] = answer["attempts"][0]
        return told
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
        raise Unreachable(f"{type(error).__name__}: {error}") from error
