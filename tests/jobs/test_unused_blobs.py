"""Blobs are there while a job needs them, and go when none does."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlws.jobs.folder import NothingThere
from jupyter_mlws.model.job import Rerun
from jupyter_mlws.model.status import JobStatus
from jupyter_mlws.store import jobs as rows
from tests.jobs.conftest import Open, script
from tests.jobs.making import make_job

WaitUntil = Callable[..., Awaitable[Any]]


async def test_blobs_go_with_the_last_job_that_needs_them(
    open_services: Open, ends: Any, wait_until: WaitUntil, tmp_path: Path
) -> None:
    first = await open_services()
    folder, shared = tmp_path / "project", b"x = 1"
    folder.mkdir()
    (folder / "shared.py").write_bytes(shared)
    kept = await first.jobs.submit(script(folder, "shared.py"), who="ada")
    (folder / "own.py").write_text("y = 2")
    gone = await first.jobs.submit(script(folder, "own.py"), who="ada")
    blob = first.blobs.put(b'{"python": "3", "packages": []}')
    named = make_job(status=JobStatus.COMPLETED)
    named = named.model_copy(update={"environment": blob})
    await first.records.write(lambda tx: rows.insert(tx, named))
    await asyncio.gather(ends(first, kept), ends(first, gone))
    await first.jobs.delete(gone.id, who="ada")
    await wait_until(lambda: not first.layout.job(gone.id).exists(), what="the removal")
    await first.close()
    for file in first.layout.blobs.glob("??/*"):
        os.utime(file, (0, 0))
    own, both = (hashlib.sha256(text).hexdigest() for text in (b"y = 2", shared))
    second = await open_services()
    await wait_until(lambda: not (second.layout.blobs / own[:2] / own).exists(), what="the sweep")
    assert second.blobs.has(both)
    assert second.blobs.has(blob)
    again = await second.jobs.rerun(kept.id, Rerun(), who="ada")
    assert (await ends(second, again)).status is JobStatus.COMPLETED


async def test_a_job_whose_files_are_gone_is_not_run_again(
    open_services: Open, ends: Any, place: Any
) -> None:
    services = await open_services()
    (place.folder / "a.py").write_text("x = 1")
    job = await services.jobs.submit(script(place.folder, "a.py"), who="ada")
    await ends(services, job)
    services.blobs.path(hashlib.sha256(b"x = 1").hexdigest()).unlink()
    with pytest.raises(NothingThere, match=r"'a\.py'"):
        await services.jobs.rerun(job.id, Rerun(), who="ada")
