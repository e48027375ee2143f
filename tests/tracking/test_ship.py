"""How a spool is shipped: in order, in one transaction where that goes, and what if MLflow fails."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlws.tracking import pieces as put_together
from jupyter_mlws.tracking.pieces import Piece, Record, pieces
from jupyter_mlws.tracking.progress import state_of
from jupyter_mlws.tracking.ship import ship
from jupyter_mlws.tracking.spool import Spool
from jupyter_mlws.tracking.troubles import Busy, Failed, NotTogether, Refused, Unreachable
from tests.tracking.conftest import left


def metric(run: str, step: int, key: str = "m") -> Record:
    return {"run": run, "metrics": [{"key": key, "value": 1, "timestamp": 1, "step": step}]}


CALL: Record = {"method": "POST", "path": "/x", "body": {}}
END: Record = {"end": "a", "experiment": "0", "status": "FINISHED", "end_time": 1}


def together(*records: Any) -> list[Piece]:
    lines, offset = [], 0
    for record in records:
        line = record if isinstance(record, bytes) else json.dumps(record).encode()
        offset += len(line) + 1
        lines.append((line, offset))
    return list(pieces(iter(lines)))


def test_a_short_job_is_one_piece() -> None:
    create = {"method": "POST", "path": "/api/2.0/mlflow/runs/create", "body": {}}
    file = {"artifact": "x", "file": "y"}
    [piece] = together(create, metric("a", 1), file, metric("b", 1), b'{"wake":true}', END)
    assert piece.together
    assert [entry.record for entry in piece.entries] == [create, metric("a", 1), file, metric("b", 1), END]


def test_a_piece_holds_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = [metric("a", step) for step in range(25)]
    monkeypatch.setattr(put_together, "RECORDS_A_PIECE", 10)
    assert [len(piece.entries) for piece in together(*metrics)] == [10, 10, 5]
    monkeypatch.setattr(put_together, "BYTES_A_PIECE", 200)
    assert [len(piece.entries) for piece in together(*metrics[:5])] == [2, 2, 1]


def test_a_request_keeps_its_place_in_the_order() -> None:
    found = together(metric("a", 1), metric("a", 2), CALL, metric("a", 3), {"artifact": "x", "file": "y"})
    assert [(len(piece.entries), piece.together) for piece in found] == [(2, True), (1, False), (2, True)]
    assert [piece.end for piece in found] == sorted(piece.end for piece in found)


def test_wishes_and_empty_lines_are_passed_over_and_broken_ones_kept() -> None:
    found = together(b'{"wake":true}', b"", b"{half", metric("a", 1), b"")
    records = [entry.record for piece in found for entry in piece.entries]
    assert [record.get("broken") for record in records] == ["{half", None]
    [passed] = together(b'{"wake":true}', b"")
    assert (passed.entries, passed.end) == ([], 15)


class Recording:
    """Stands for MLflow's store, so that it can fail as one rarely does: `answers` says how, by the step."""

    def __init__(self) -> None:
        self.transactions: list[list[Record]] = []
        self.alone: list[Record] = []
        self.answers: dict[int, list[Exception]] = {}
        self.bad: set[int] = set()

    def apply_together(self, records: Sequence[Record]) -> None:
        if any(step_of(record) in self.bad for record in records):
            raise NotTogether("one is bad")
        self.transactions.append(list(records))

    def apply(self, record: Record) -> None:
        answers = self.answers.get(step_of(record), [])
        if answers:
            raise answers.pop(0) if len(answers) > 1 else answers[0]
        self.alone.append(record)


def step_of(record: Record) -> int:
    return int(record["metrics"][0]["step"]) if record.get("metrics") else -1


@pytest.fixture
def store() -> Recording:
    return Recording()


def spool_with(folder: Path, *records: Record) -> Path:
    spool = Spool(str(folder))
    for record in records:
        spool.append(json.dumps(record).encode())
    spool.close()
    return folder


def test_one_bad_record_does_not_stop_the_others(store: Recording, tmp_path: Path) -> None:
    folder = spool_with(tmp_path, *(metric("a", step) for step in range(16)), END)
    store.bad, store.answers = {5}, {5: [Refused("MLflow's own words")]}
    state = ship(folder, store=store, artifacts=tmp_path)
    assert (left(folder), state.ended) == (0, True)
    assert [step_of(record) for piece in store.transactions for record in piece] == [
        *(step for step in range(16) if step != 5),
        -1,
    ]
    said = json.loads((tmp_path / "refused.jsonl").read_text())
    assert said == {"what": "the metric m", "message": "MLflow's own words"}


def test_a_record_that_is_none_of_ours_is_left_out(store: Recording, tmp_path: Path) -> None:
    folder = spool_with(tmp_path, {"run": "r", "metrics": None, "params": ["x"]}, metric("a", 7), END)
    store.bad, store.answers = {-1}, {-1: [TypeError("no list")]}
    for _ in range(20):
        with contextlib.suppress(Unreachable):
            ship(folder, store=store, artifacts=tmp_path)
    assert left(folder) == 0
    assert [step_of(record) for piece in store.transactions for record in piece] == [7]


def test_what_is_unavailable_is_tried_again_and_what_fails_for_ever_is_left_out(
    store: Recording, tmp_path: Path
) -> None:
    folder = spool_with(tmp_path, metric("a", 1))
    store.bad, store.answers = {1}, {1: [Unreachable("busy"), Unreachable("busy"), Failed("its own fault")]}
    for _ in range(6):
        with pytest.raises(Unreachable):
            ship(folder, store=store, artifacts=tmp_path)
        assert left(folder) > 0
    ship(folder, store=store, artifacts=tmp_path)
    assert left(folder) == 0
    assert json.loads((tmp_path / "refused.jsonl").read_text())["message"] == "its own fault"


def test_a_crash_before_it_is_noted_sends_the_piece_again(
    store: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = spool_with(tmp_path / "spool", {"artifact": "0/x", "file": "f"}, metric("a", 1))
    (folder / "files").mkdir()
    (folder / "files" / "f").write_text("x")

    def dies(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("jupyter_mlws.tracking.ship.note", dies)
        with pytest.raises(KeyboardInterrupt):
            ship(folder, store=store, artifacts=tmp_path / "artifacts")
    assert state_of(folder).offset == 0
    ship(folder, store=store, artifacts=tmp_path / "artifacts")
    assert store.transactions == [[metric("a", 1)]] * 2
    assert (tmp_path / "artifacts" / "0" / "x").read_text() == "x"
    assert not (folder / "refused.jsonl").exists()


def test_one_ships_at_a_time(store: Recording, tmp_path: Path) -> None:
    folder = spool_with(tmp_path, metric("a", 1))
    descriptor = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(Busy):
        ship(folder, store=store, artifacts=tmp_path)
    os.close(descriptor)
    state = ship(folder, store=store, artifacts=tmp_path)
    assert state.offset == (tmp_path / "records.jsonl").stat().st_size


def test_after_its_time_it_stops_between_two_pieces(store: Recording, tmp_path: Path) -> None:
    folder = spool_with(tmp_path, metric("a", 1), CALL, metric("a", 2))
    for done in (1, 2, 3):
        ship(folder, store=store, artifacts=tmp_path, deadline=0.0)
        assert len(store.transactions) + len(store.alone) == done
    assert left(folder) == 0


def test_a_line_that_is_still_being_written_waits(store: Recording, tmp_path: Path) -> None:
    folder = spool_with(tmp_path, metric("a", 1))
    with (tmp_path / "records.jsonl").open("a") as stream:
        stream.write('{"run":"a"')
    whole = ship(folder, store=store, artifacts=tmp_path).offset
    with (tmp_path / "records.jsonl").open("a") as stream:
        stream.write(',"metrics":[]}\n')
    assert ship(folder, store=store, artifacts=tmp_path).offset > whole
    assert len(store.transactions) == 2
    assert not (tmp_path / "refused.jsonl").exists()


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a//b", "", "a/./b", "a\0b", "\ud800", "b" * 300])
def test_an_artifact_stays_below_the_root(path: str, store: Recording, tmp_path: Path) -> None:
    spool, root = tmp_path / "spool", tmp_path / "artifacts"
    root.mkdir()
    folder = spool_with(spool, {"artifact": path, "file": "f"})
    (spool / "files").mkdir()
    (spool / "files" / "f").write_text("x")
    ship(folder, store=store, artifacts=root)
    assert (spool / "refused.jsonl").exists()
    assert list(root.rglob("*")) == []


@pytest.mark.parametrize("name", ["../records.jsonl", "..", "", "f\0", "/etc/hostname"])
def test_a_file_is_one_of_the_spool(name: str, store: Recording, tmp_path: Path) -> None:
    folder = spool_with(tmp_path / "spool", {"artifact": "0/x", "file": name})
    (folder / "files").mkdir()
    ship(folder, store=store, artifacts=tmp_path / "artifacts")
    assert (folder / "refused.jsonl").exists()
    assert (folder / "records.jsonl").exists()


def test_a_link_is_no_artifact(store: Recording, tmp_path: Path) -> None:
    spool, root = tmp_path / "spool", tmp_path / "artifacts"
    folder = spool_with(spool, {"artifact": "0/x", "file": "f"})
    (spool / "files").mkdir()
    (spool / "files" / "f").symlink_to("/etc/hostname")
    ship(folder, store=store, artifacts=root)
    assert (spool / "refused.jsonl").exists()
