"""What the crash tests ask a server about a job."""

from __future__ import annotations

from typing import Any

import httpx


def ended(client: httpx.Client, id: str) -> Any:
    """Return the job once it has ended, else None."""
    job = client.get(f"/jobs/{id}").json()
    return job if job["status"] in ("Completed", "Failed", "Canceled") else None


def text(client: httpx.Client, id: str) -> str:
    """Return all that the newest attempt has printed so far."""
    found, offset = "", 0
    while True:
        page = client.get(f"/jobs/{id}/events", params={"offset": offset}).json()
        outputs = [event["output"] for event in page["events"] if event["type"] == "output"]
        found += "".join(output["text"] for output in outputs if output["output_type"] == "stream")
        if page["next"] == offset:
            return found
        offset = page["next"]
