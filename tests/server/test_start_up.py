"""What the extension costs a server that starts, and what the server never loads."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta

from jupyter_mlws.server.idle import has_open_jobs, until_idle
from jupyter_mlws.server.runtime_file import address
from jupyter_mlws.server.who import account, who_is


def loaded_after(code: str) -> set[str]:
    program = f"{code}\nimport sys\nprint(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_the_start_does_not_wait_for_the_database() -> None:
    loaded = loaded_after("import jupyter_mlws; jupyter_mlws._jupyter_server_extension_points()")
    assert not loaded & {"sqlalchemy", "alembic", "jupyter_mlws.app", "jupyter_mlws.server.routes.table"}


def test_the_server_never_loads_what_is_heavy() -> None:
    loaded = loaded_after(
        "import jupyter_mlws.app, jupyter_mlws.server.extension, jupyter_mlws.server.routes.table"
    )
    assert not loaded & {"mlflow", "pandas", "numpy", "nbclient", "cloudpickle", "IPython"}


def test_the_package_alone_loads_nothing() -> None:
    loaded = loaded_after("import jupyter_mlws")
    assert {each for each in loaded if each.startswith("jupyter_mlws")} == {"jupyter_mlws"}


def test_addresses() -> None:
    def url(ip: str, scheme: str = "http") -> str:
        return address(scheme=scheme, ip=ip, port=8888, base_url="/x/")

    assert url("localhost") == url("") == url("0.0.0.0") == "http://127.0.0.1:8888/x/"
    assert url("10.0.0.5", "https") == "https://10.0.0.5:8888/x/"
    assert url("::1") == "http://[::1]:8888/x/"


def test_who_it_is() -> None:
    from jupyter_server.auth.identity import User

    assert who_is(User(username="ada", name="Ada")) == "ada"
    assert who_is(User(username="f" * 32, name="Anonymous Io")) == account()


def test_open_jobs() -> None:
    assert not has_open_jobs({})
    assert not has_open_jobs({"Completed": 3, "Failed": 1, "Running": 0})
    assert has_open_jobs({"Queued": 1})
    assert has_open_jobs({"Finalizing": 1})


async def test_idle_waits_for_kernels_jobs_and_requests() -> None:
    seen: list[str] = []
    answers = iter([{"Running": 1}, {"Queued": 1}])

    async def counts() -> dict[str, int]:
        found = next(answers, {})
        seen.append("jobs" if found else "no jobs")
        return found

    kernels = iter([True])
    await until_idle(
        after=timedelta(seconds=0.05),
        last_activity=lambda: datetime.now(UTC) - timedelta(hours=1),
        counts=counts,
        busy=lambda: next(kernels, False),
    )
    assert seen == ["jobs", "jobs", "no jobs"]
