"""Whatever is sent, the answer is a right result or one sentence, and nothing is written elsewhere."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.fixtures.servers import RunningServer, StartServer


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nope", 404),
        ("GET", "", 404),
        ("PUT", "/jobs", 405),
        ("PROPFIND", "/jobs", 405),
        ("GET", "/jobs/%ff", 400),
        ("GET", "/jobs/nope", 404),
        ("GET", "/jobs/..%2f..%2fetc%2fpasswd", 404),
        ("GET", "/jobs/" + "x" * 10_000, 404),
        ("GET", "/jobs/'%20or%201=1%20--", 404),
        ("GET", "/computes/nope", 404),
        ("GET", "/jobs?limit=0", 422),
        ("GET", "/jobs?limit=" + "9" * 400, 422),
        ("GET", "/jobs?foo=1", 422),
        ("GET", "/jobs?status=Walking", 422),
        ("GET", "/jobs?cursor=rubbish", 422),
        ("GET", "/jobs?limit=1&limit=2", 400),
        ("GET", "/jobs?q=%ff", 400),
        ("GET", "/audit?limit=501", 422),
        ("GET", "/audit?cursor=%00", 422),
        ("GET", "/status?verbose=1", 422),
        ("GET", "/blobs/" + "a" * 64, 405),
        ("DELETE", "/jobs/nope", 404),
        ("POST", "/jobs/nope/cancel", 404),
        ("POST", "/workspaces/nope/activate", 404),
        ("POST", "/workspaces/..%2f..%2fetc/activate", 404),
        ("PUT", "/notebooks/answers/x", 400),
    ],
)
def test_requests_that_are_refused(
    api: httpx.Client, an_error: Any, method: str, path: str, status: int
) -> None:
    an_error(api.request(method, path), status)


@pytest.mark.parametrize(
    "name", ["../x", "a/b", "", "x" * 10_000, "ü", "a b", ".hidden", "-x", "a\x00b", 7, None]
)
def test_names_that_no_workspace_can_have(api: httpx.Client, an_error: Any, name: Any) -> None:
    an_error(api.post("/workspaces", json={"name": name}), 422)


@pytest.mark.parametrize(
    "name",
    ['it\'s "quoted" <b>&', "../../etc/passwd", "Ärger mit 数据 🎉", "{{7*7}} %s ${HOME} `id`", "x" * 255],
)
def test_names_that_a_job_can_have(api: httpx.Client, a_cell: Any, name: str) -> None:
    job = api.post("/jobs", json=a_cell(name=name, experiment=name))
    assert job.status_code == 201
    assert api.get(f"/jobs/{job.json()['id']}").json()["spec"]["name"] == name
    listed = api.get("/jobs", params={"name": name}).json()
    assert job.json()["id"] in [each["id"] for each in listed["jobs"]]
    assert name in [each["name"] for each in api.get("/experiments").json()["experiments"]]


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "x" * 10_000},
        {"name": "a\nb"},
        {"kind": "magic"},
        {"timeout": 0},
        {"timeout": "soon"},
        {"retries": 10**400},
        {"resources": {"cpus": -1}},
        {"resources": {"memory": 10**30}},
        {"compute": "nope"},
        {"parameters": {"no name": 1}},
        {"parameters": {"p": {"$int": "9" * 10_000}}},
        {"inputs": {"blob": "../../x", "size": 1}},
        {"inputs": {"blob": "a" * 64, "size": 1}},
        {"folder": "../../etc"},
        {"folder": "/nope/nothing/here"},
        {"surprise": True},
    ],
)
def test_jobs_that_are_refused(api: httpx.Client, an_error: Any, a_cell: Any, fields: dict[str, Any]) -> None:
    before = api.get("/jobs").json()["total"]
    answer = api.post("/jobs", content=json.dumps(a_cell() | fields))
    assert answer.status_code in (404, 409, 422), answer.text
    an_error(answer, answer.status_code)
    assert api.get("/jobs").json()["total"] == before


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe{}", b"[" * 100_000, b'{"name": NaN}', b"\x00"])
def test_bodies_that_are_no_json(api: httpx.Client, an_error: Any, body: bytes) -> None:
    an_error(api.post("/jobs", content=body), 400)


def test_a_notebook_that_is_no_notebook(api: httpx.Client, an_error: Any) -> None:
    for content in (b"not json", b"[1, 2]", b"\xff\xfe"):
        sha = hashlib.sha256(content).hexdigest()
        assert api.put(f"/blobs/{sha}", content=content).status_code in (200, 201)
        answer = api.post("/jobs", json={"kind": "notebook", "name": "n", "notebook": sha})
        assert answer.status_code in (400, 409, 422), answer.text
        an_error(answer, answer.status_code)


def test_more_json_than_a_job_can_be(api: httpx.Client, an_error: Any, a_cell: Any) -> None:
    an_error(api.post("/jobs", json=a_cell("x" * (5 * 2**20))), 413)


def test_a_failure_of_ours_is_a_sentence_with_a_reference(start_server: StartServer, an_error: Any) -> None:
    server = start_server()
    with server.client() as client:
        # What nobody should do: the database loses its table while the server runs.
        import sqlite3

        with sqlite3.connect(server.workspace / "mlws.db") as database:
            database.execute("PRAGMA writable_schema = 1")
            database.execute("ALTER TABLE audit RENAME TO elsewhere")
        error = an_error(client.get("/audit"), 500)
    assert error["code"] == "internal"
    reference = error["hint"].split("reference ")[1].split(";")[0]
    assert reference in server.log.read_text()


def test_the_document_is_served(api: httpx.Client) -> None:
    document = api.get("/openapi.json")
    assert document.headers["Content-Type"] == "application/json"
    assert document.json()["openapi"] == "3.1.0"


@pytest.mark.parametrize("base_url", ["/a/b/", "/user/j%40x/"])
def test_any_base_url(start_server: StartServer, base_url: str, an_error: Any) -> None:
    server = start_server(base_url=base_url)
    with server.client() as client:
        assert client.get("/status").status_code == 200
        an_error(client.get("/nope"), 404)
        an_error(client.get("/jobs/a%2Fb"), 404)
    (file,) = server.place.runtime.rglob(f"server-{server.process.pid}.json")
    assert json.loads(file.read_text())["url"] == server.url


def test_a_request_from_jupyter_itself_may_say_that_it_is_no_activity(api: httpx.Client) -> None:
    assert api.get("/jobs", params={"no_track_activity": "1"}).status_code == 200


def test_head_has_no_body_and_the_same_length(api: httpx.Client) -> None:
    answer = api.head("/computes")
    assert answer.status_code == 200
    assert answer.content == b""
    assert int(answer.headers["Content-Length"]) == len(api.get("/computes").content)


def test_the_server_still_answers(jupyter_server: RunningServer, api: httpx.Client) -> None:
    assert api.get("/status").json()["workspace"]["path"] == str(jupyter_server.workspace)
