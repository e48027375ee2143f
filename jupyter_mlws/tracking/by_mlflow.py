"""Applies one record as a request to MLflow's own handlers, within its process and without a connection.

So MLflow itself judges, with its own words, whatever `tracking/rows.py` does not write.
"""

from __future__ import annotations

import json
from typing import Any

from jupyter_mlws.tracking.pieces import API, LOG_BATCH, UPDATE_RUN, Record
from jupyter_mlws.tracking.troubles import Failed, Refused, Unreachable

_NOT_ITS_FAULT = (401, 403, 408, 425, 429, 502, 503, 504)


class ByMlflow:
    """MLflow's handlers of requests."""

    def __init__(self, application: Any) -> None:
        """`application` is MLflow's own of Flask."""
        self._client = application.test_client(use_cookies=False)

    def apply(self, record: Record) -> None:
        """Apply a record that is no file. Raises `Refused`, `Failed` and `Unreachable`."""
        if "broken" in record:
            raise Refused(f"the record cannot be read: {record['broken']}")
        if "end" in record:
            self._end(record)
        elif "run" in record:
            body = {key: record[key] for key in ("metrics", "params", "tags") if key in record}
            self._request("POST", LOG_BATCH, {"run_id": record["run"], **body})
        else:
            self._request(record.get("method"), record.get("path"), record.get("body"))

    def _end(self, record: Record) -> None:
        """End the job's run, and the runs under it that were not ended because the job was killed."""
        query = {
            "experiment_ids": [record.get("experiment")],
            "filter": f"tags.`mlflow.parentRunId` = '{record['end']}' and attributes.status = 'RUNNING'",
            "max_results": 1000,
        }
        found = self._request("POST", API + "runs/search", query).get("runs", [])
        for run in [*(each["info"]["run_id"] for each in found), record["end"]]:
            body = {"run_id": run, "status": record.get("status"), "end_time": record.get("end_time")}
            self._request("POST", UPDATE_RUN, body)

    def _request(self, method: Any, path: Any, body: Any) -> dict[str, Any]:
        if not isinstance(method, str) or not isinstance(path, str) or not path.startswith("/"):
            raise Refused(f"{str(path)[:200]!r} is not a path.")
        response = self._client.open(
            path,
            base_url="http://localhost",
            method=method,
            # Flask's own would sort the keys, and what MLflow makes of a wrong one depends on their order.
            data=None if body is None else json.dumps(body),
            content_type="application/json",
        )
        content, status = response.get_data(), response.status_code
        response.close()
        if status < 300:
            parsed = json.loads(content or b"{}")
            return parsed if isinstance(parsed, dict) else {}
        said = _said(content, status)
        if status in _NOT_ITS_FAULT:
            raise Unreachable(said)
        if status >= 500:
            raise Failed(said)
        raise Refused(said)


def _said(answer: bytes, status: int) -> str:
    try:
        return str(json.loads(answer)["message"])
    except (ValueError, KeyError, TypeError):
        return f"status {status}: {answer[:200].decode('utf-8', 'replace')}"
