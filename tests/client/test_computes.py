"""`ws.computes`, synchronous and not, against a real server, which is also the server elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

import jupyter_mlws as mlws
from jupyter_mlws.client import compute_table, compute_token
from jupyter_mlws.client.async_computes import ComputeInvalid
from jupyter_mlws.model.compute import Capacity, Compute, ComputeCheck, ComputeState, Guarantees
from jupyter_mlws.model.compute_address import AddressInvalid
from jupyter_mlws.model.errors import Conflict, Invalid, NotFound


@pytest.fixture(scope="module")
def ws(jupyter_server):
    with mlws.connect(url=jupyter_server.url, token=jupyter_server.token) as connected:
        yield connected


def test_made_looked_at_and_deleted(ws, jupyter_server):
    made = ws.computes.create(
        "lab2", type="jupyter", url=jupyter_server.url, token=jupyter_server.token, slots=2
    )
    assert (made.name, made.state, made.capacity.slots) == ("lab2", ComputeState.READY, 2)
    assert ws.computes.get("lab2") == made
    assert [each.name for each in ws.computes.list()] == ["lab2", "local"]
    assert ws.computes.check("lab2").reachable
    assert jupyter_server.token not in f"{made!r}{made}{ws.computes.list()!r}"
    ws.computes.delete("lab2")
    for call in (ws.computes.get, ws.computes.check, ws.computes.delete):
        with pytest.raises(NotFound, match="There is: local"):
            call("lab2")


async def test_the_same_asynchronously(jupyter_server):
    async with await mlws.aconnect(url=jupyter_server.url, token=jupyter_server.token) as ws:
        made = await ws.computes.create("lab3", url=f"{jupyter_server.url}lab?token={jupyter_server.token}")
        assert (made.url, made.has_token) == (jupyter_server.url.rstrip("/"), True)
        assert (await ws.computes.check("lab3")).reachable
        assert [each.name for each in await ws.computes.list()] == ["lab3", "local"]
        await ws.computes.delete("lab3")


def test_what_cannot_be_is_a_sentence(ws, jupyter_server):
    url = jupyter_server.url
    for name in ("", ".", "..", "a b", "a/b", "ü", "x" * 1000, "?x", "#x"):
        with pytest.raises(Invalid):
            ws.computes.create(name, url=url, check=False)
    for changes in (
        {"slots": 0},
        {"slots": "many"},
        {"price_per_hour": float("nan")},
        {"price_per_hour": -1},
        {"type": "slurm"},
        {"type": None},
        {"url": "ftp://h"},
        {"url": None},
        {"kernel": "a\nb"},
    ):
        with pytest.raises(Invalid) as refused:
            ws.computes.create("lab4", **{"url": url, "check": False, **changes})
        assert str(refused.value)
    with pytest.raises(Conflict, match="this machine"):
        ws.computes.create("local", url=url, check=False)
    with pytest.raises(Conflict, match="this machine"):
        ws.computes.delete("local")
    for secret in (
        {"token": ["hush"]},
        {"token": "hush" * 2000},
        {"url": 3, "token": "hush"},
        {"url": ["hush"]},
    ):
        with pytest.raises(ComputeInvalid) as refused:
            ws.computes.create("lab4", **{"url": url, **secret})
        assert "hush" not in f"{refused.value}{refused.value!r}"
        assert refused.value.__cause__ is None
    assert [each.name for each in ws.computes.list()] == ["local"]


def test_where_a_token_comes_from(tmp_path, monkeypatch):
    file = tmp_path / "token"
    file.write_text(" from-file\n")
    url, asked = "http://h", []

    def ask():
        asked.append(1)
        return " typed "

    assert compute_token.find(url=url, file=str(file), ask=ask) == "from-file"
    assert compute_token.find(url="http://h?token=x", file=None, ask=ask) is None
    monkeypatch.setenv(compute_token.VARIABLE, "from-variable")
    assert compute_token.find(url=url, file=None, ask=ask) == "from-variable"
    assert not asked
    # Once: what is started next would inherit it.
    assert compute_token.find(url=url, file=None, ask=ask) == "typed"
    assert compute_token.find(url=url, file=None, ask=lambda: None) is None
    assert compute_token.find(url=url, file=None, ask=lambda: "") is None
    with pytest.raises(AddressInvalid):
        compute_token.find(url="ftp://h", file=None, ask=ask)
    file.write_bytes(b"\xff\xfe\x00")
    for path in (file, tmp_path, tmp_path / "nothing"):
        with pytest.raises(compute_token.TokenFileUnreadable, match="cannot be read"):
            compute_token.find(url=url, file=str(path), ask=ask)


def compute(**fields):
    guarantees = Guarantees(memory_limit=False, kill=False, survives_server=True, live_folder=False)
    known = {
        "name": "lab2",
        "type": "jupyter",
        "capacity": Capacity(cpus=0, memory=0, slots=2),
        "in_use": Capacity(cpus=0, memory=0, slots=1),
        "price_per_hour": 1.5,
        "guarantees": guarantees,
    }
    return Compute(**{**known, **fields})


def test_what_a_table_says():
    assert compute_table.cells(compute())[:6] == ("lab2", "jupyter", "✓ ready", "1 / 2", "–", "–")
    looked = compute(state="unreachable", checked_at=datetime.now(UTC) - timedelta(hours=3))
    assert compute_table.cells(looked)[2] == "✕ unreachable, 3 h ago"
    assert len(compute_table.cells(compute())) == len(compute_table.HEADS)
    whole = Capacity(cpus=4, memory=2**33, gpus=0)
    local = compute(capacity=whole, in_use=Capacity(cpus=1, memory=0))
    assert compute_table.cells(local)[3:7] == ("–", "1 / 4", "0 B / 8 GB", "0 / 0")
    assert compute_table.in_use(compute()) == "1 of 2 slots in use"
    assert compute_table.in_use(local) == "1 of 4 CPUs, 0 B of 8 GB reserved"


def test_what_is_promised_is_said_in_words():
    said = compute_table.promises(compute().guarantees)
    assert said[0] == "no memory limits"
    assert said[-1] == "all output is kept"
    limited = compute().guarantees.model_copy(update={"output_rate": 2.0**20, "memory_limit": True})
    assert compute_table.promises(limited)[-1] == "output above 1 MB a second may be lost"
    refused = ComputeCheck(reachable=False, message="It does not accept the token.")
    facts = compute_table.facts(compute(state="unreachable", check=refused, url="http://h", has_token=True))
    assert ("", "It does not accept the token.") in facts
    assert ("token", "kept, never shown") in facts
    assert ("state", "✕ unreachable") in compute_table.found(refused)
