"""Computes through the routes. The server elsewhere is the module's own: a Jupyter server like any other."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import pytest

if TYPE_CHECKING:
    from tests.conftest import RunningServer, StartServer


@pytest.fixture
def asked(jupyter_server: RunningServer) -> dict[str, Any]:
    """The body that makes a compute of the server itself."""
    return {"type": "jupyter", "url": jupyter_server.url, "token": jupyter_server.token}


def test_made_looked_at_changed_and_deleted(
    api: httpx.Client, asked: dict[str, Any], jupyter_server: RunningServer, an_error: Any
) -> None:
    made = api.put("/computes/lab2", json={**asked, "slots": 3, "price_per_hour": 0.5})
    assert made.status_code == 201
    compute = made.json()
    assert compute["url"] == jupyter_server.url.rstrip("/")
    assert (compute["state"], compute["has_token"], compute["capacity"]["slots"]) == ("ready", True, 3)
    assert compute["check"]["kernels"]
    assert "token" not in compute
    same = api.put("/computes/lab2", json={**asked, "slots": 3, "price_per_hour": 0.5, "check": False})
    assert (same.status_code, same.json()) == (200, compute)
    listed = {each["name"]: each for each in api.get("/computes").json()["computes"]}
    assert (listed["lab2"], listed["local"]["type"]) == (compute, "local")
    found = api.post("/computes/lab2/check").json()
    assert (found["reachable"], found["message"]) == (True, None)
    here = api.post("/computes/local/check").json()
    assert here["reachable"]
    assert "python3" in here["kernels"]
    changed = api.put("/computes/lab2", json={**asked, "slots": 1, "token": None})
    assert (changed.status_code, changed.json()["capacity"]["slots"]) == (200, 1)
    texts = [api.get(path).text for path in ("/computes", "/computes/lab2", "/audit", "/openapi.json")]
    assert jupyter_server.token not in "".join(texts)
    assert jupyter_server.token not in jupyter_server.log.read_text()
    entries = api.get("/audit", params={"noun": "compute"}).json()["entries"]
    assert [each["action"] for each in entries] == ["change", "create"]
    assert json.loads(entries[0]["before"])["slots"] == 3
    assert api.delete("/computes/lab2").status_code == 204
    assert an_error(api.get("/computes/lab2"), 404)["hint"] == "There is: local."
    an_error(api.delete("/computes/lab2"), 404)
    an_error(api.post("/computes/lab2/check"), 404)


@pytest.mark.parametrize(
    ("name", "changes", "status"),
    [
        ("a b", {}, 422),
        ("a/b", {}, 422),
        ("ü", {}, 422),
        ("x" * 1000, {}, 422),
        ("<img src=x onerror=alert(1)>", {}, 422),
        ("local", {}, 409),
        ("LOCAL", {}, 409),
        ("lab3", {"type": "slurm"}, 422),
        ("lab3", {"type": 3}, 422),
        ("lab3", {"url": "ftp://h"}, 422),
        ("lab3", {"url": ""}, 422),
        ("lab3", {"url": None}, 422),
        ("lab3", {"url": "http://h:99999"}, 422),
        ("lab3", {"url": "http://" + "h" * 3000}, 422),
        ("lab3", {"slots": 0}, 422),
        ("lab3", {"slots": -1}, 422),
        ("lab3", {"slots": "many"}, 422),
        ("lab3", {"slots": 1.5}, 422),
        ("lab3", {"slots": 10**12}, 422),
        ("lab3", {"price_per_hour": -1}, 422),
        ("lab3", {"price_per_hour": "free"}, 422),
        ("lab3", {"kernel": ""}, 422),
        ("lab3", {"color": "red"}, 422),
        ("lab3", {"url": "http://127.0.0.1:1"}, 422),
    ],
)
def test_what_cannot_be_is_a_sentence(
    api: httpx.Client, asked: dict[str, Any], an_error: Any, name: str, changes: dict[str, Any], status: int
) -> None:
    error = an_error(api.put(f"/computes/{quote(name, safe='')}", json={**asked, **changes}), status)
    assert len(error["message"]) < 500
    assert [each["name"] for each in api.get("/computes").json()["computes"]] == ["local"]


def test_not_a_number_is_no_price(api: httpx.Client, asked: dict[str, Any], an_error: Any) -> None:
    body = json.dumps({**asked, "price_per_hour": float("nan")})
    an_error(api.put("/computes/lab3", content=body), 400)
    an_error(api.put("/computes/lab3", content=b"token hush"), 400)


@pytest.mark.parametrize(
    "changes",
    [
        {"token": ["hush-hush"]},
        {"token": {"hush-hush": "hush-hush"}},
        {"token": "hush-hush" * 1000},
        {"token": "hush-hush hush-hush"},
        {"token": "hush-hush"},
        {"url": "http://127.0.0.1:1/?token=hush-hush", "token": None},
        {"url": "http://127.0.0.1:1/?key=hush-hush"},
        {"url": "http://ada:hush-hush@127.0.0.1:1/"},
        {"url": "ftp://127.0.0.1:1/?token=hush-hush"},
        {"url": ["hush-hush"]},
        {"url": "http://h/" + "hush-hush" * 1000},
    ],
)
def test_a_refusal_shows_no_secret(
    api: httpx.Client, asked: dict[str, Any], jupyter_server: RunningServer, changes: dict[str, Any]
) -> None:
    answer = api.put("/computes/lab3", json={**asked, **changes})
    assert answer.status_code in (400, 422)
    assert "hush-hush" not in answer.text
    assert "hush-hush" not in jupyter_server.log.read_text()


async def test_what_changes_is_told(
    jupyter_server: RunningServer, api: httpx.Client, asked: dict[str, Any], open_events: Any
) -> None:
    async with open_events(jupyter_server) as events:
        await asyncio.to_thread(api.put, "/computes/told", json=asked)
        assert await change_of(events, "told") == "ready"
        await asyncio.to_thread(api.delete, "/computes/told")
        assert await change_of(events, "told") is None


async def change_of(events: Any, id: str) -> str | None:
    while (event := await events.next("change"))["id"] != id:
        pass
    assert event["noun"] == "compute"
    return event["status"]


def test_two_servers_of_a_workspace_share_them(start_server: StartServer, an_error: Any) -> None:
    one, other = start_server(), start_server()
    asked = {"type": "jupyter", "url": one.url, "token": one.token}
    with one.client() as here, other.client() as there:
        assert here.put("/computes/lab2", json=asked).status_code == 201
        assert there.get("/computes/lab2").json()["has_token"]
        assert there.post("/computes/lab2/check").json()["reachable"]
        assert there.put("/computes/lab2", json={**asked, "token": None, "slots": 4}).status_code == 200
        assert here.get("/computes/lab2").json()["capacity"]["slots"] == 4
        assert there.delete("/computes/lab2").status_code == 204
        job = {"kind": "cell", "name": "x", "code": "1", "compute": "lab2"}
        assert an_error(here.post("/jobs", json=job), 404)["code"] == "compute_unknown"
