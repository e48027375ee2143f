"""What every compute must do: it declares what it guarantees, and is held to each of that."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import psutil
import pytest

from jupyter_mlws.app import Services
from jupyter_mlws.model.errors import MlwsError
from jupyter_mlws.model.events import Output
from jupyter_mlws.model.job import Job, JobKind, JobSpec, Resources
from jupyter_mlws.model.status import JobStatus

LARGE = 20_000_000


class ComputeContract:
    """A suite gives `compute`, the name of the compute under test, and `services`, its workspace."""

    async def run(self, services: Services, compute: str, code: str, **fields: Any) -> Job:
        spec = JobSpec(kind=JobKind.CELL, name="cell", code=code, compute=compute, **fields)
        return await services.jobs.submit(spec, who="tester")

    async def test_it_says_what_is_there(self, services: Services, compute: str) -> None:
        found = await services.computes.check(compute)
        assert found.reachable, found.message
        assert found.python is not None
        assert found.kernels

    async def test_a_job_runs_and_its_output_is_whole(
        self, services: Services, compute: str, ends: Any
    ) -> None:
        job = await self.run(services, compute, f"print('x' * {LARGE})")
        ended = await ends(services, job)
        assert ended.status is JobStatus.COMPLETED, ended.error
        seen = await services.computes.get(compute)
        if seen.guarantees.output_rate is None:
            assert await text_of(services, job) == "x" * LARGE + "\n"

    async def test_a_memory_limit_holds_or_is_refused(
        self, services: Services, compute: str, ends: Any
    ) -> None:
        limit = Resources(memory=300 << 20)
        work = self.run(
            services,
            compute,
            "import time; x = bytearray(2 << 30); x[::4096] = x[::4096]; time.sleep(60)",
            resources=limit,
        )
        seen = await services.computes.get(compute)
        if not seen.guarantees.memory_limit:
            with pytest.raises(MlwsError) as caught:
                await work
            assert repr(compute) in caught.value.message
            return
        ended = await ends(services, await work)
        assert ended.error is not None
        assert ended.error.code == "memory_limit"

    async def test_a_canceled_job_leaves_nothing(
        self, services: Services, compute: str, ends: Any, prints: Any
    ) -> None:
        seen = await services.computes.get(compute)
        code = (
            "import subprocess, sys, time\n"
            f"child = subprocess.Popen(['sleep', '600'], start_new_session={seen.guarantees.kill})\n"
            "print('child', child.pid, flush=True)\n"
            "while True:\n"
            "    try: time.sleep(600)\n"
            "    except KeyboardInterrupt: pass"
        )
        job = await self.run(services, compute, code)
        await prints(services, job, "\n")
        child = int((await text_of(services, job)).split()[1])
        await services.jobs.cancel(job.id, who="tester")
        ended = await ends(services, job)
        assert ended.status is JobStatus.CANCELED
        assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE

    async def test_a_job_goes_on_while_no_server_runs(
        self,
        open_services: Callable[..., Awaitable[Services]],
        services: Services,
        compute: str,
        ends: Any,
        prints: Any,
    ) -> None:
        seen = await services.computes.get(compute)
        assert seen.guarantees.survives_server
        job = await self.run(services, compute, "print('on')\nimport time; time.sleep(3); print('still')")
        await prints(services, job, "on")
        await services.close()
        await asyncio.sleep(0)
        again = await open_services()
        ended = await ends(again, job)
        assert ended.status is JobStatus.COMPLETED, ended.error
        assert await text_of(again, job) == "on\nstill\n"
        assert ended.attempt == 1

    async def test_a_worker_that_is_killed_leaves_no_kernel(
        self, services: Services, compute: str, ends: Any, prints: Any, nothing_left: Any
    ) -> None:
        job = await self.run(services, compute, "print('on')\nimport time; time.sleep(600)")
        await prints(services, job, "on")
        now = await services.jobs.attempts(job.id)
        assert now[-1].pid is not None
        psutil.Process(now[-1].pid).kill()
        ended = await ends(services, job)
        assert ended.status is JobStatus.FAILED
        assert ended.error is not None
        assert ended.error.code == "worker_died"
        assert ended.attempt == 1
        await nothing_left()


async def text_of(services: Services, job: Job) -> str:
    offset, text = 0, ""
    while True:
        page = await services.jobs.events(job.id, offset=offset)
        for event in page.events:
            if isinstance(event, Output) and event.output.get("output_type") == "stream":
                text += str(event.output["text"])
        if page.next == offset:
            return text
        offset = page.next
