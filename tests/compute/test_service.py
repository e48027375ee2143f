"""What users do with computes: in a real workspace, with a real server elsewhere and real jobs."""

from __future__ import annotations

import asyncio
import stat
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlws.app import Services
from jupyter_mlws.compute import looking
from jupyter_mlws.compute.asking import ComputeNameInvalid, ComputeReserved, ComputeTypeUnknown
from jupyter_mlws.compute.roster import ComputeUnknown
from jupyter_mlws.compute.service import ComputeBusy, ComputeUnreachable
from jupyter_mlws.jobs.elsewhere import NotThere
from jupyter_mlws.model.compute import ComputeCreate, ComputeState
from jupyter_mlws.model.compute_address import AddressInvalid, TokenInvalid
from jupyter_mlws.model.job import Job, JobKind, JobSpec, KernelChoice, Rerun, Resources
from jupyter_mlws.model.status import JobStatus
from jupyter_mlws.store import audit
from tests.compute.conftest import Elsewhere, Open

WaitUntil = Callable[..., Awaitable[Any]]


def cell(code: str, *, compute: str = "lab2", **fields: Any) -> JobSpec:
    kernel = KernelChoice(executable=sys.executable)
    return JobSpec(kind=JobKind.CELL, name="cell", kernel=kernel, code=code, compute=compute, **fields)


async def status(services: Services, job: Job, wanted: JobStatus, wait_until: WaitUntil) -> Job:
    async def reached() -> Job | None:
        now = await services.jobs.get(job.id)
        assert now.status is wanted or not now.status.is_terminal, now.error
        return now if now.status is wanted else None

    return await wait_until(reached, 120, what=f"{wanted} of {job.id}")


def everything_in(folder: Path) -> bytes:
    """The bytes of all files of the workspace but the tokens'."""
    return b"".join(
        path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.parent.name != "tokens"
    )


async def test_a_compute_is_made_and_shown(services: Services, elsewhere: Elsewhere, place: Any) -> None:
    made, new = await services.computes.create(
        "lab2", elsewhere.asked(slots=3, price_per_hour=1.5, kernel="ir"), who="ada"
    )
    assert new
    assert (made.name, made.type, made.url, made.kernel) == ("lab2", "nearby", elsewhere.url, "ir")
    assert (made.capacity.slots, made.in_use.slots, made.price_per_hour) == (3, 0, 1.5)
    assert (made.state, made.has_token, made.created_by) == (ComputeState.READY, True, "ada")
    assert made.check is not None
    assert made.check.server == "Small Server 1.0"
    assert [each.name for each in await services.computes.list()] == ["lab2", "local"]
    assert await services.computes.get("lab2") == made
    (file,) = (place.workspace / "tokens").iterdir()
    assert file.read_text() == elsewhere.token
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    entries = (await services.records.read(audit.page)).entries
    assert [(each.action, each.noun, each.id) for each in entries] == [("create", "compute", "lab2")]
    assert elsewhere.token.encode() not in everything_in(place.workspace)


async def test_the_same_again_changes_nothing(services: Services, elsewhere: Elsewhere) -> None:
    first, _ = await services.computes.create("lab2", elsewhere.asked(), who="ada")
    again, new = await services.computes.create("lab2", elsewhere.asked(check=False), who="bob")
    assert not new
    assert again == first
    assert len((await services.records.read(audit.page)).entries) == 1


async def test_a_token_in_the_url_is_taken_out(services: Services, elsewhere: Elsewhere) -> None:
    url = f"{elsewhere.url}/lab?token={elsewhere.token}"
    made, _ = await services.computes.create("lab2", elsewhere.asked(url=url, token=None), who="ada")
    assert (made.url, made.has_token) == (elsewhere.url, True)
    with pytest.raises(TokenInvalid, match="another one is given"):
        await services.computes.create("lab3", elsewhere.asked(url=url, token="different"), who="ada")


async def test_a_wrong_token_is_refused_and_not_shown(
    services: Services, elsewhere: Elsewhere, place: Any
) -> None:
    with pytest.raises(ComputeUnreachable) as refused:
        await services.computes.create("lab2", elsewhere.asked(token="wr0ng-token"), who="ada")
    assert refused.value.message == "It does not accept the token …. [31m"
    assert "--no-check" in str(refused.value.hint)
    assert [each.name for each in await services.computes.list()] == ["local"]
    made, _ = await services.computes.create(
        "lab2", elsewhere.asked(token="wr0ng-token", check=False), who="ada"
    )
    assert (made.state, made.check) == (ComputeState.UNCHECKED, None)
    found = await services.computes.check("lab2")
    assert not found.reachable
    seen = await services.computes.get("lab2")
    assert (seen.state, seen.check) == (ComputeState.UNREACHABLE, found)
    assert seen.checked_at is not None
    assert "wr0ng" not in f"{found!r} {seen!r} {seen.model_dump_json()}"
    assert b"wr0ng" not in everything_in(place.workspace)


async def test_a_new_token_goes_with_the_old_address_alone(
    services: Services, elsewhere: Elsewhere, elsewhere_too: Elsewhere, place: Any
) -> None:
    await services.computes.create("lab2", elsewhere.asked(), who="ada")
    (file,) = (place.workspace / "tokens").iterdir()
    # Without a token the one that is kept is used, as long as the address is the same.
    await services.computes.create("lab2", elsewhere.asked(token=None, slots=2), who="ada")
    assert elsewhere.seen[-1] == f"token {elsewhere.token}"
    elsewhere.token = "renewed-token"
    assert not (await services.computes.check("lab2")).reachable
    await services.computes.create("lab2", elsewhere.asked(slots=2), who="ada")
    assert [each.read_text() for each in (place.workspace / "tokens").iterdir()] == ["renewed-token"]
    assert file.exists(), "jobs that run there read the same file"
    # Somebody else's server never gets it.
    with pytest.raises(ComputeUnreachable):
        await services.computes.create("lab2", elsewhere_too.asked(token=None), who="ada")
    assert elsewhere_too.seen == [None]
    moved, _ = await services.computes.create("lab2", elsewhere_too.asked(token=None, check=False), who="ada")
    assert (moved.url, moved.has_token) == (elsewhere_too.url, False)
    assert list((place.workspace / "tokens").iterdir()) == []


async def test_an_empty_token_is_none(services: Services, elsewhere: Elsewhere, place: Any) -> None:
    await services.computes.create("lab2", elsewhere.asked(), who="ada")
    made, _ = await services.computes.create("lab2", elsewhere.asked(token="", check=False), who="ada")
    assert not made.has_token
    assert list((place.workspace / "tokens").iterdir()) == []


@pytest.mark.parametrize("name", ["", " ", "a b", "a/b", "..", "ü", "-x", "x" * 1000, "<b>x</b>", "a\nb"])
async def test_names_that_cannot_be(services: Services, elsewhere: Elsewhere, name: str) -> None:
    with pytest.raises(ComputeNameInvalid) as refused:
        await services.computes.create(name, elsewhere.asked(), who="ada")
    assert len(str(refused.value)) < 300
    assert elsewhere.seen == []


async def test_what_else_is_refused(services: Services, elsewhere: Elsewhere) -> None:
    for name in ("local", "Local"):
        with pytest.raises(ComputeReserved):
            await services.computes.create(name, elsewhere.asked(), who="ada")
    with pytest.raises(ComputeReserved):
        await services.computes.delete("local", who="ada")
    with pytest.raises(ComputeTypeUnknown, match=r"'slurm'.*There is: nearby"):
        await services.computes.create("lab2", elsewhere.asked(type="slurm"), who="ada")
    with pytest.raises(AddressInvalid):
        await services.computes.create("lab2", elsewhere.asked(url="ftp://h"), who="ada")
    for call in (services.computes.get, services.computes.check):
        with pytest.raises(ComputeUnknown, match="There is: local"):
            await call("lab2")
    with pytest.raises(ComputeUnknown):
        await services.computes.delete("lab2", who="ada")


async def test_a_server_that_never_answers_is_given_up(
    services: Services, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere.silent.set()
    with (
        monkeypatch.context() as impatient,
        pytest.raises(ComputeUnreachable, match="did not answer within"),
    ):
        impatient.setattr(looking, "PATIENCE", 0.2)
        await services.computes.create("lab2", elsewhere.asked(), who="ada")
    dead = elsewhere.asked(url="http://127.0.0.1:1", check=False)
    await services.computes.create("lab2", dead, who="ada")
    assert "ConnectError" in str((await services.computes.check("lab2")).message)


async def test_what_a_hostile_server_says_is_cut(services: Services, elsewhere: Elsewhere) -> None:
    elsewhere.says = "<script>\x1b]0;x\x07\n" + elsewhere.token + "x" * 100_000
    made, _ = await services.computes.create("lab2", elsewhere.asked(), who="ada")
    assert made.check is not None
    said = str(made.check.server)
    assert len(said) < 600
    assert said.startswith("<script> ]0;x …x")


async def test_two_clients_at_once_make_one(services: Services, elsewhere: Elsewhere, place: Any) -> None:
    asked = [elsewhere.asked(slots=number) for number in range(1, 7)]
    done = await asyncio.gather(*(services.computes.create("lab2", each, who="ada") for each in asked))
    assert sum(new for _, new in done) == 1
    assert len(await services.computes.list()) == 2
    assert len(list((place.workspace / "tokens").iterdir())) == 1
    assert (await services.computes.check("lab2")).reachable


async def test_other_servers_see_it_at_once(open_services: Open, elsewhere: Elsewhere) -> None:
    one, other = await open_services(), await open_services()
    await one.computes.create("lab2", elsewhere.asked(), who="ada")
    assert (await other.computes.check("lab2")).reachable
    job = await other.jobs.submit(cell("pass"), who="ada")
    assert job.spec.compute == "lab2"
    await other.jobs.cancel(job.id, who="ada")


async def test_many_that_wait_for_one_compute_hold_up_no_job_of_another(
    services: Services, elsewhere: Elsewhere, wait_until: WaitUntil
) -> None:
    await services.computes.create("lab2", elsewhere.asked(), who="ada")
    first = await services.jobs.submit(cell("import time; time.sleep(600)"), who="ada")
    await status(services, first, JobStatus.RUNNING, wait_until)
    many = [await services.jobs.submit(cell("pass"), who="ada") for _ in range(70)]
    here = await services.jobs.submit(cell("pass", compute="local"), who="ada")
    await status(services, here, JobStatus.COMPLETED, wait_until)
    for job in (*many, first):
        await services.jobs.cancel(job.id, who="ada")
    await status(services, first, JobStatus.CANCELED, wait_until)


async def test_jobs_run_in_slots_and_hold_the_compute(
    services: Services, elsewhere: Elsewhere, elsewhere_too: Elsewhere, wait_until: WaitUntil, place: Any
) -> None:
    await services.computes.create("lab2", elsewhere.asked(price_per_hour=2.0), who="ada")
    stop = place.root / "stop"
    wait = f"import os, time\nwhile not os.path.exists({str(stop)!r}): time.sleep(0.05)"
    # CPUs are not counted there, however many are asked for.
    first = await services.jobs.submit(cell(wait, resources=Resources(cpus=4000)), who="ada")
    await status(services, first, JobStatus.RUNNING, wait_until)
    second = await services.jobs.submit(cell("pass"), who="ada")

    async def told() -> bool:
        return (await services.jobs.get(second.id)).message == "Waits for 1 slot (0 free)"

    await wait_until(told, what="why the second waits")
    seen = await services.computes.get("lab2")
    assert (seen.jobs_running, seen.jobs_queued, seen.in_use.slots) == (1, 1, 1)
    assert first.price_per_hour == 2.0
    with pytest.raises(ComputeBusy, match="1 job runs there and 1 job waits for it"):
        await services.computes.delete("lab2", who="ada")
    with pytest.raises(ComputeBusy, match="cannot move now"):
        await services.computes.create("lab2", elsewhere_too.asked(), who="ada")
    assert (await services.computes.get("lab2")).url == elsewhere.url
    # What a job does not depend on may change under it: now there is room for the second.
    await services.computes.create("lab2", elsewhere.asked(slots=2, price_per_hour=9.0), who="ada")
    await status(services, second, JobStatus.COMPLETED, wait_until)
    stop.touch()
    done = await status(services, first, JobStatus.COMPLETED, wait_until)
    assert done.price_per_hour == 2.0
    await services.computes.delete("lab2", who="ada")
    assert list((place.workspace / "tokens").iterdir()) == []
    # Its jobs keep its name, and cannot be run there again.
    assert (await services.jobs.get(first.id)).spec.compute == "lab2"
    with pytest.raises(ComputeUnknown, match="There is: local"):
        await services.jobs.rerun(first.id, Rerun(), who="ada")
    with pytest.raises(ComputeUnknown):
        await services.jobs.submit(cell("pass"), who="ada")


async def test_what_the_compute_does_not_have_is_refused_before_anything_runs(
    services: Services, elsewhere: Elsewhere
) -> None:
    # Where there are no folders of this machine either: tests/jobs/test_elsewhere.py.
    await services.computes.create("lab2", elsewhere.asked(), who="ada")
    with pytest.raises(NotThere, match="counts jobs and not GPUs"):
        await services.jobs.submit(cell("pass", resources=Resources(gpus=1)), who="ada")
    with pytest.raises(NotThere, match="cannot hold a job to 1 GB of memory"):
        await services.jobs.submit(cell("pass", resources=Resources(memory=2**30)), who="ada")


def test_numbers_that_cannot_be() -> None:
    for field, value in (
        ("slots", 0),
        ("slots", -1),
        ("slots", "many"),
        ("price_per_hour", -1),
        ("price_per_hour", float("nan")),
        ("price_per_hour", float("inf")),
        ("url", "x" * 3000),
        ("token", "x" * 5000),
    ):
        with pytest.raises(ValueError):
            ComputeCreate.model_validate({"type": "jupyter", "url": "http://h", field: value})
