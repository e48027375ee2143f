from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from jupyter_mlws.jobs import log as job_log
from jupyter_mlws.jobs.log import (
    OffsetInvalid,
    is_output,
    last_events,
    read_events,
    read_lines,
    read_page,
)
from jupyter_mlws.model.events import LogEvent, Message, Output
from jupyter_mlws.model.identity import new_id
from jupyter_mlws.model.job import Job, JobKind, JobSpec
from jupyter_mlws.model.status import JobStatus


def line(event: LogEvent) -> bytes:
    return event.model_dump_json().encode() + b"\n"


def job(status: JobStatus) -> Job:
    spec = JobSpec(kind=JobKind.CELL, name="job", code="x = 1")
    return Job(
        id=new_id(), spec=spec, status=status, attempt=1, created_by="me", created_at=datetime.now(UTC)
    )


RUNNING, ENDED = job(JobStatus.RUNNING), job(JobStatus.COMPLETED)
MESSAGES = [line(Message(t=n, text=f"number {n}")) for n in range(10)]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"".join(MESSAGES))
    return path


def test_a_log_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    assert read_lines(tmp_path / "no", offset=0, limit=100) == ([], 0)


def test_a_line_that_is_being_written_is_left(log: Path) -> None:
    with log.open("ab") as stream:
        stream.write(b'{"t":11,"type":"mess')
    lines, reached = read_lines(log, offset=0, limit=10_000)
    assert len(lines) == 10
    assert reached == sum(map(len, MESSAGES))


def test_a_line_longer_than_the_limit_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(line(Message(t=0, text="x" * 100_000)))
    assert len(read_lines(path, offset=0, limit=10)[0]) == 1


def test_pages_give_every_event_once(log: Path) -> None:
    offset, texts = 0, []
    while True:
        page = read_page(log, ENDED, attempt=1, offset=offset, tail=None, limit=120)
        texts += [event.text for event in page.events if isinstance(event, Message)]
        offset = page.next
        if page.done:
            break
    assert texts == [f"number {n}" for n in range(10)]


def test_the_tail_begins_with_a_whole_line(log: Path) -> None:
    page = read_page(log, RUNNING, attempt=1, offset=0, tail=len(MESSAGES[-1]) + 3, limit=1000)
    assert [event.t for event in page.events] == [9]
    assert not page.done


@pytest.mark.parametrize("offset", [1, 10_000])
def test_an_offset_inside_a_line_or_beyond_the_end_is_refused(log: Path, offset: int) -> None:
    with pytest.raises(OffsetInvalid, match=str(offset)):
        read_page(log, RUNNING, attempt=1, offset=offset, tail=None, limit=100)


def test_a_line_that_cannot_be_read_becomes_a_warning(log: Path) -> None:
    with log.open("ab") as stream:
        stream.write(b"rubbish \xff\n" + line(Message(t=11, text="after")))
    events, reached = read_events(log, 0)
    assert reached == log.stat().st_size
    assert [event.t for event in events] == [*range(10), 9, 11]
    warning = events[10]
    assert isinstance(warning, Message)
    assert (warning.level, "rubbish" in warning.text) == ("warning", True)
    page = read_page(log, ENDED, attempt=1, offset=0, tail=None, limit=10_000)
    assert (len(page.events), page.done) == (12, True)


def test_a_line_longer_than_any_of_ours_is_passed_over(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_log, "_LONGEST_LINE", 1000)
    monkeypatch.setattr(job_log, "_READ_BYTES", 500)
    begin = log.stat().st_size
    with log.open("ab") as stream:
        stream.write(b"x" * 5000)
    assert read_lines(log, offset=begin, limit=100) == ([], begin)
    with log.open("ab") as stream:
        stream.write(b"x\n" + line(Message(t=11, text="after")))
    lines, reached = read_lines(log, offset=begin, limit=100)
    assert (len(lines), reached) == (1, begin + 5002)
    assert read_events(log, reached)[0] == [Message(t=11, text="after")]


def test_the_last_events_are_those_before_an_offset(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    end = sum(map(len, MESSAGES[:8]))
    assert [event.t for event in last_events(log, end)] == [*range(8)]
    monkeypatch.setattr(job_log, "_PIECE_BYTES", 2 * len(MESSAGES[0]) + 3)
    assert [event.t for event in last_events(log, end)] == [6, 7]
    assert last_events(log.with_name("no"), end) == []


def test_outputs_are_told_without_parsing() -> None:
    output = Output(t=1.5, cell=0, output={"output_type": "stream", "name": "stdout", "text": "hi"})
    assert is_output(line(output).strip())
    assert not is_output(line(Message(t=1.5, text='"type":"output"' * 3)).strip()[:40])
