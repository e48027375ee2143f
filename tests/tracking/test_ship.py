"""How records are put together for shipping, and what happens when MLflow's server misbehaves."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlws.tracking.ship import Address, Busy, Piece, Unreachable, left, pieces, ship, state_of
from jupyter_mlws.tracking.spool import Spool


def metric(run: str, step: int, key: str = "m") -> dict[str, Any]:
    return {"run": run, "metrics": [{"key": key, "value": 1, "timestamp": 1, "step": step}]}


def param(run: str, key: str, value: str) -> dict[str, Any]:
    return {"run": run, "params": [{"key": key, "value": value}]}


def together(*records: Any) -> list[Piece]:
    lines, offset = [], 0
    for record in records:
        line = record if isinstance(record, bytes) else json.dumps(record).encode()
        offset += len(line) + 1
        lines.append((line, offset))
    return list(pieces(iter(lines)))


def test_metrics_of_several_runs_go_together_a_thousand_at_a_time() -> None:
    found = together(*(metric("ab"[step % 2], step) for step in range(3000)))
    assert [[len(body["metrics"]) for body in piece.bodies()] for piece in found] == [
        [1000, 1000],
        [500, 500],
    ]
    assert {body["run_id"] for body in found[0].bodies()} == {"a", "b"}


def test_a_request_keeps_its_place_in_the_order() -> None:
    call = {"method": "POST", "path": "/x", "body": {}}
    found = together(metric("a", 1), metric("a", 2), call, metric("a", 3), {"artifact": "x", "file": "y"})
    assert [len(piece.records) for piece in found] == [2, 1, 1, 1]
    assert [piece.end for piece in found] == sorted(piece.end for piece in found)


def test_a_parameter_of_another_value_goes_by_itself_and_the_last_tag_wins() -> None:
    tag = [{"run": "a", "tags": [{"key": "t", "value": str(number)}]} for number in range(2)]
    found = together(param("a", "p", "1"), param("a", "p", "1"), *tag, param("a", "p", "2"))
    assert [piece.bodies()[0]["params"] for piece in found] == [
        [{"key": "p", "value": "1"}],
        [{"key": "p", "value": "2"}],
    ]
    assert found[0].bodies()[0]["tags"] == [{"key": "t", "value": "1"}]


def test_a_hundred_parameters_at_a_time() -> None:
    found = together(*(param("a", f"p{number}", "1") for number in range(250)))
    assert [len(piece.bodies()[0]["params"]) for piece in found] == [100, 100, 50]


def test_wishes_and_empty_lines_are_passed_over_and_broken_ones_kept() -> None:
    found = together(b'{"wake":true}', b"", b"{half", metric("a", 1))
    assert [record.get("broken") for piece in found for record in piece.records] == ["{half", None]


@pytest.fixture
def server() -> Iterator[Any]:
    """Answers each request with the next of `answers`; the last of them for ever. `paths` says what came."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            made.paths.append(self.path)
            status = made.answers.pop(0) if len(made.answers) > 1 else made.answers[0]
            body = json.dumps({"message": f"status {status}"}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            pass

    made: Any = HTTPServer(("127.0.0.1", 0), Handler)
    made.paths, made.answers = [], [200]
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def spool_with(folder: Path, *records: dict[str, Any]) -> str:
    spool = Spool(str(folder))
    for record in records:
        spool.append(json.dumps(record).encode())
    spool.close()
    return str(folder)


def address(server: Any) -> Any:
    return lambda: Address("127.0.0.1", server.server_port, "t")


def test_what_is_unavailable_is_tried_again_and_what_fails_for_ever_is_left_out(
    server: Any, tmp_path: Path
) -> None:
    folder = spool_with(tmp_path, metric("a", 1))
    server.answers = [503, 401, 500]
    for _ in range(6):
        with pytest.raises(Unreachable):
            ship(folder, address=address(server), artifacts=None)
        assert left(folder) > 0
    ship(folder, address=address(server), artifacts=None)
    assert left(folder) == 0
    assert json.loads((tmp_path / "refused.jsonl").read_text())["what"] == "the metric m"


def test_nobody_answers(free_port: int, tmp_path: Path) -> None:
    folder = spool_with(tmp_path, metric("a", 1))
    with pytest.raises(Unreachable):
        ship(folder, address=lambda: Address("127.0.0.1", free_port, "t"), artifacts=None)
    assert state_of(folder).offset == 0


def test_one_ships_at_a_time(server: Any, tmp_path: Path) -> None:
    import fcntl

    folder = spool_with(tmp_path, metric("a", 1))
    descriptor = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(Busy):
        ship(folder, address=address(server), artifacts=None)
    os.close(descriptor)
    assert (
        ship(folder, address=address(server), artifacts=None).offset
        == (tmp_path / "records.jsonl").stat().st_size
    )


def test_a_line_that_is_still_being_written_waits(server: Any, tmp_path: Path) -> None:
    folder = spool_with(tmp_path, metric("a", 1))
    with (tmp_path / "records.jsonl").open("a") as stream:
        stream.write('{"run":"a"')
    whole = ship(folder, address=address(server), artifacts=None).offset
    with (tmp_path / "records.jsonl").open("a") as stream:
        stream.write(',"metrics":[]}\n')
    assert ship(folder, address=address(server), artifacts=None).offset > whole
    assert len(server.paths) == 2
    assert not (tmp_path / "refused.jsonl").exists()


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a//b", "", "a/./b"])
def test_an_artifact_stays_below_the_root(path: str, server: Any, tmp_path: Path) -> None:
    spool, root = tmp_path / "spool", tmp_path / "artifacts"
    root.mkdir()
    folder = spool_with(spool, {"artifact": path, "file": "f"})
    (spool / "files").mkdir()
    (spool / "files" / "f").write_text("x")
    ship(folder, address=address(server), artifacts=str(root))
    assert (spool / "refused.jsonl").exists()
    assert list(root.rglob("*")) == []


def test_a_link_is_no_artifact(server: Any, tmp_path: Path) -> None:
    spool, root = tmp_path / "spool", tmp_path / "artifacts"
    folder = spool_with(spool, {"artifact": "0/x", "file": "f"})
    (spool / "files").mkdir()
    (spool / "files" / "f").symlink_to("/etc/hostname")
    ship(folder, address=address(server), artifacts=str(root))
    assert (spool / "refused.jsonl").exists()
