"""The two doors of MLflow's server: TCP with a token, the unix socket without."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from typing import Any

import httpx
import psutil
import pytest

SEARCH = "/api/2.0/mlflow/experiments/search"


@pytest.fixture
def by_socket(live: Any) -> Any:
    transport = httpx.HTTPTransport(uds=str(live.address.socket))
    with httpx.Client(transport=transport, base_url="http://localhost") as client:
        yield client


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Bearer", "Basic eDp5", "bearer"])
@pytest.mark.parametrize("path", ["/", "/health", "/version", SEARCH, "/mlws/health", "/static-files/x.js"])
def test_tcp_demands_the_token(live: Any, header: str | None, path: str) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = httpx.get(f"{live.address.url}{path}", headers=headers)
    assert answer.status_code == 401
    assert "MLFLOW_TRACKING_TOKEN" in answer.json()["message"]
    assert live.address.token not in answer.text


def test_tcp_with_the_token(live: Any) -> None:
    headers = {"Authorization": f"Bearer {live.address.token}"}
    answer = httpx.post(f"{live.address.url}{SEARCH}", headers=headers, json={"max_results": 10})
    assert answer.json()["experiments"][0]["name"] == "Default"


def test_a_forged_forwarding_header_opens_nothing(live: Any) -> None:
    headers = {"X-Forwarded-For": "127.0.0.1", "Forwarded": "for=unix:", "X-Forwarded-Host": "localhost"}
    assert httpx.get(f"{live.address.url}/", headers=headers).status_code == 401


def test_tcp_listens_on_the_loopback_interface_alone(live: Any) -> None:
    process = psutil.Process(json.loads((live.root / "mlflow" / "server.json").read_text())["pid"])
    listening = [one for one in process.net_connections("inet") if one.status == psutil.CONN_LISTEN]
    assert [one.laddr.ip for one in listening] == ["127.0.0.1"]


def test_the_socket_asks_for_no_token_and_serves_the_pages(by_socket: httpx.Client) -> None:
    page = by_socket.get("/")
    assert page.status_code == 200
    assert "<html" in page.text
    assert "MLflow" in page.text
    script = page.text.partition('src="')[2].partition('"')[0]
    assert by_socket.get(f"/{script.removeprefix('./')}").status_code == 200


def test_only_the_owner_can_reach_the_socket(live: Any) -> None:
    assert stat.S_IMODE(live.address.socket.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(live.address.socket.stat().st_mode) == 0o600
    assert live.address.socket.stat().st_uid == os.getuid()


def test_mlflows_own_checks_are_on(by_socket: httpx.Client) -> None:
    foreign_host = by_socket.get("/", headers={"Host": "evil.example.org"})
    assert foreign_host.status_code == 403
    foreign_origin = by_socket.post(SEARCH, headers={"Origin": "http://evil.example.org"}, json={})
    assert foreign_origin.status_code == 403


def test_a_websocket_without_the_token_is_closed(live: Any) -> None:
    port = int(live.address.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(
            b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert connection.recv(1024).split(b" ")[1] in (b"401", b"403")


def test_files_with_secrets_are_the_owners(live: Any) -> None:
    for name in ("server.json", "server.log", "mlflow.db"):
        assert stat.S_IMODE((live.root / "mlflow" / name).stat().st_mode) == 0o600
    command = psutil.Process(json.loads((live.root / "mlflow" / "server.json").read_text())["pid"])
    assert live.address.token not in " ".join(command.cmdline())
    assert live.address.token not in command.environ().values()


def test_the_database_is_in_wal_mode(live: Any) -> None:
    assert (live.root / "mlflow" / "mlflow.db-wal").exists()


def test_a_plain_mlflow_client_works(live: Any) -> None:
    code = (
        "import mlflow\n"
        "mlflow.set_experiment('Plain')\n"
        "with mlflow.start_run(): mlflow.log_metric('m', 7); mlflow.log_text('hello', 'a.txt')\n"
        "runs = mlflow.search_runs(experiment_names=['Plain'])\n"
        "print(len(runs), runs['metrics.m'][0], runs['artifact_uri'][0])\n"
    )
    given = {"MLFLOW_TRACKING_URI": live.address.url, "MLFLOW_TRACKING_TOKEN": live.address.token}
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | given, capture_output=True, text=True, check=True
    )
    count, metric, artifacts = done.stdout.splitlines()[-1].split()
    assert (count, metric) == ("1", "7.0")
    assert artifacts.startswith("mlflow-artifacts:/")
