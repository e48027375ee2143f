"""A job through the routes: submitted, followed, its files fetched, changed, canceled, deleted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.fixtures.servers import RunningServer

CODE = """
import base64
from IPython.display import HTML, display
print("hello")
größe = 42
model = list(range(10))
display(HTML("<script>alert(1)</script>" + "x" * 2_000_000))
"""


def ended(api: httpx.Client, job: str) -> dict[str, Any] | None:
    found = api.get(f"/jobs/{job}").json()
    return found if found["status"] in ("Completed", "Failed", "Canceled") else None


@pytest.fixture(scope="module")
def done(jupyter_server: RunningServer, wait_for: Any) -> dict[str, Any]:
    """A job that has ended, with results and a large output."""
    with jupyter_server.client() as api:
        body = {"kind": "cell", "name": "files", "code": CODE, "outputs": ["model", "größe"]}
        job = api.post("/jobs", json=body).json()
        found = wait_for(lambda: ended(api, job["id"]), 90, what="the end of the job")
    assert found["status"] == "Completed", found
    return dict(found)


def events_of(api: httpx.Client, job: str) -> list[dict[str, Any]]:
    events, offset = [], 0
    while True:
        page = api.get(f"/jobs/{job}/events", params={"offset": offset, "limit": 5000}).json()
        events += page["events"]
        offset = page["next"]
        if page["done"]:
            return events


def test_its_events_by_pages(api: httpx.Client, done: dict[str, Any]) -> None:
    events = events_of(api, done["id"])
    assert events[0]["type"] == "attempt"
    assert events[-1] == {**events[-1], "type": "status", "status": "Completed"}
    whole = api.get(f"/jobs/{done['id']}/events").json()
    assert whole["events"] == events
    tail = api.get(f"/jobs/{done['id']}/events", params={"tail": 300}).json()
    assert tail["events"] == events[-len(tail["events"]) :]


@pytest.mark.parametrize(
    "query",
    [
        "offset=3",
        "offset=99999999",
        "offset=-1",
        "limit=0",
        "attempt=0",
        "attempt=99",
        "tail=0",
        "offset=1e3",
    ],
)
def test_offsets_that_cannot_be(api: httpx.Client, done: dict[str, Any], an_error: Any, query: str) -> None:
    answer = api.get(f"/jobs/{done['id']}/events?{query}")
    an_error(answer, 404 if query == "attempt=99" else 422)


def test_its_results(api: httpx.Client, done: dict[str, Any]) -> None:
    listed = api.get(f"/jobs/{done['id']}/results").json()["results"]
    assert {each["name"] for each in listed} == {"model", "größe"}
    for each in listed:
        answer = api.get(f"/jobs/{done['id']}/results/{each['name']}")
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert len(answer.content) == each["size"] == int(answer.headers["Content-Length"])
        assert answer.content.startswith(b"MLWSPACK1\n")
        head = api.head(f"/jobs/{done['id']}/results/{each['name']}")
        assert (head.content, head.headers["Content-Length"]) == (b"", str(each["size"]))


@pytest.mark.parametrize(
    "name", ["nope", "..%2f..%2f..%2fmlws.db", "%2Fetc%2Fpasswd", "0.mlws", "results.json", "%00", "a" * 5000]
)
def test_results_and_outputs_lead_nowhere_else(
    api: httpx.Client, done: dict[str, Any], an_error: Any, name: str
) -> None:
    an_error(api.get(f"/jobs/{done['id']}/results/{name}"), 404)
    an_error(api.get(f"/jobs/{done['id']}/attempts/1/outputs/{name}"), 404)
    an_error(api.get(f"/jobs/{name}/inputs"), 404)


@pytest.mark.parametrize("number", ["0", "-1", "2", "x", "1e0", "%2e%2e", "9" * 50, "１"])
def test_attempts_that_there_are_not(
    api: httpx.Client, done: dict[str, Any], an_error: Any, number: str
) -> None:
    an_error(api.get(f"/jobs/{done['id']}/attempts/{number}/outputs/0.html"), 404)


def test_a_large_output_comes_in_a_sandbox(api: httpx.Client, done: dict[str, Any]) -> None:
    files = [
        value["file"]
        for event in events_of(api, done["id"])
        if event["type"] == "output"
        for value in event["output"].get("data", {}).values()
        if isinstance(value, dict) and "file" in value
    ]
    assert files
    answer = api.get(f"/jobs/{done['id']}/attempts/1/outputs/{files[0]}")
    assert answer.status_code == 200
    assert "<script>" in answer.text
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_executed_notebook(api: httpx.Client, done: dict[str, Any]) -> None:
    answer = api.get(f"/jobs/{done['id']}/notebook")
    assert answer.headers["Content-Type"].startswith("application/json")
    notebook = json.loads(answer.content)
    assert notebook["nbformat"] == 4
    assert any("hello" in json.dumps(cell.get("outputs")) for cell in notebook["cells"])


def test_nothing_was_sent_with_it(api: httpx.Client, done: dict[str, Any], an_error: Any) -> None:
    an_error(api.get(f"/jobs/{done['id']}/inputs"), 404)


def test_its_attempts(api: httpx.Client, done: dict[str, Any]) -> None:
    (attempt,) = api.get(f"/jobs/{done['id']}/attempts").json()["attempts"]
    assert (attempt["number"], attempt["status"]) == (1, "Completed")


def test_changed_run_again_canceled_and_deleted(
    api: httpx.Client, done: dict[str, Any], wait_for: Any, an_error: Any
) -> None:
    assert api.patch(f"/jobs/{done['id']}", json={"name": "renamed"}).json()["spec"]["name"] == "renamed"
    an_error(api.post(f"/jobs/{done['id']}/cancel"), 409)
    again = api.post(f"/jobs/{done['id']}/rerun", json={"timeout": 60})
    assert again.status_code == 201
    assert again.json()["spec"]["rerun_of"] == done["id"]
    id = again.json()["id"]
    assert api.post(f"/jobs/{id}/cancel").status_code == 200
    assert wait_for(lambda: ended(api, id), 60)["status"] == "Canceled"
    answer = api.delete(f"/jobs/{id}")
    assert (answer.status_code, answer.content) == (204, b"")
    an_error(api.get(f"/jobs/{id}"), 404)
    actions = [each["action"] for each in api.get("/audit", params={"id": id}).json()["entries"]]
    assert actions[-1] in ("rerun", "submit")
    assert "delete" in actions


def test_a_job_that_runs_is_gone_when_its_deletion_is_answered(
    jupyter_server: RunningServer, api: httpx.Client, a_cell: Any, wait_for: Any, an_error: Any
) -> None:
    body = a_cell("import time; time.sleep(300)", name="doomed")
    id = api.post("/jobs", json=body).json()["id"]
    wait_for(lambda: api.get(f"/jobs/{id}").json()["status"] == "Running", 60)
    assert api.delete(f"/jobs/{id}").status_code == 204
    assert api.get("/jobs", params={"name": "doomed"}).json() == {"jobs": [], "next": None, "total": 0}
    for below in ("", "/events", "/results", "/results/x", "/inputs", "/attempts", "/notebook"):
        assert an_error(api.get(f"/jobs/{id}{below}"), 404)["code"] == "job_not_found"
    an_error(api.delete(f"/jobs/{id}"), 404)
    an_error(api.patch(f"/jobs/{id}", json={"name": "saved"}), 404)
    for verb in ("cancel", "rerun"):
        an_error(api.post(f"/jobs/{id}/{verb}", json={}), 404)
    folder = jupyter_server.workspace / "jobs" / id
    wait_for(lambda: not folder.exists(), 60, what="the end of the job and of its folder")


def test_a_folder_as_jupyter_shows_it(jupyter_server: RunningServer, api: httpx.Client, a_cell: Any) -> None:
    (jupyter_server.place.folder / "inside").mkdir()
    job = api.post("/jobs", json=a_cell(folder="inside")).json()
    assert job["spec"]["folder"] == str(jupyter_server.place.folder / "inside")


def test_pages_by_cursor(api: httpx.Client, a_cell: Any) -> None:
    for number in range(5):
        assert api.post("/jobs", json=a_cell(experiment="paged", name=f"job {number}")).status_code == 201
    names: list[str] = []
    cursor = None
    while True:
        query = {"experiment": "paged", "limit": 2, "sort": "name", "descending": False}
        page = api.get("/jobs", params={**query, **({"cursor": cursor} if cursor else {})}).json()
        assert page["total"] == 5
        names += [job["spec"]["name"] for job in page["jobs"]]
        if (cursor := page["next"]) is None:
            break
    assert names == [f"job {number}" for number in range(5)]
    several = api.get(
        "/jobs", params={"status": ["Queued", "Preparing", "Running", "Completed", "Finalizing"]}
    )
    assert several.json()["total"] >= 5


def test_jobs_side_by_side_and_in_the_order_of_a_metric(
    api: httpx.Client, done: dict[str, Any], wait_for: Any, an_error: Any
) -> None:
    ids = []
    for score in (0.25, 0.75):
        code = f"import mlflow; mlflow.log_metric('score', {score}); mlflow.log_param('score', {score})"
        job = api.post("/jobs", json={"kind": "cell", "name": "scored", "code": code}).json()
        wait_for(lambda id=job["id"]: ended(api, id), 120, what="the end of the job")
        ids.append(job["id"])
    answer = api.get("/jobs/compare", params={"id": [ids[1], done["id"], ids[0]]}).json()
    assert [job["metrics"] for job in answer["jobs"]] == [{"score": 0.75}, {}, {"score": 0.25}]
    assert (answer["metrics"], answer["params"]) == (["score"], ["score"])
    listed = api.get("/jobs", params={"sort": "metric", "metric": "score"}).json()
    assert [job["id"] for job in listed["jobs"]] == [ids[1], ids[0]]
    assert "metric=NAME" in an_error(api.get("/jobs", params={"sort": "metric"}), 422)["message"]
    assert an_error(api.get("/jobs/compare"), 422)["code"] == "field_invalid"
    missing = api.get("/jobs/compare", params={"id": "0123456789abc"})
    assert an_error(missing, 404)["code"] == "job_not_found"
