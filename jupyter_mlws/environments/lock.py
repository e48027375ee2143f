"""The lock of an interpreter: its version and its installed distributions, so that it can be had again."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re

from jupyter_mlws.model.errors import Invalid
from jupyter_mlws.model.events import EnvironmentSeen
from jupyter_mlws.model.record import Record
from jupyter_mlws.worker.environment_record import environment_record

# Runs in any interpreter, with nothing of ours; the folder that it happens to run in does not count.
_PROBE = "import json, platform, sys; print(json.dumps([platform.python_version(), sys.path[1:]]))"
_PROBE_SECONDS = 60
# The job needs nothing of ours: a workspace that was updated since must not hinder it.
_OURS = re.compile(r"^jupyter[-_.]mlws\b", re.IGNORECASE)


class InterpreterBroken(Invalid):
    """The Python of a job is not there any more, or does not run."""

    code = "interpreter_broken"


class Lock(Record):
    """An interpreter's version, such as `3.11.7`, and its distributions as requirement lines, sorted."""

    python: str
    packages: list[str]

    @classmethod
    def seen(cls, event: EnvironmentSeen) -> Lock:
        """Return the lock that a worker wrote to its log."""
        return cls(python=event.python, packages=event.packages)

    @property
    def key(self) -> str:
        """A hash over everything that the lock holds: two environments with one key are alike."""
        text = json.dumps([self.python, sorted(self.packages)])
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def requirements(self) -> list[str]:
        """The lines to install: all but our own package."""
        return [line for line in self.packages if not _OURS.match(line) and not _is_ours(line)]


def _is_ours(line: str) -> bool:
    return line.startswith("-e ") and "jupyter_mlws" in line.replace("-", "_")


async def read_lock(executable: str) -> Lock:
    """Return the lock of the interpreter `executable`. Raises `InterpreterBroken`."""
    try:
        process = await asyncio.create_subprocess_exec(
            executable,
            "-c",
            _PROBE,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(), _PROBE_SECONDS)
    except (OSError, TimeoutError) as error:
        raise InterpreterBroken(
            f"The Python {executable} cannot be asked for its packages: {str(error) or 'it did not answer'}.",
            hint="Submit the job anew from a kernel that runs.",
        ) from error
    if process.returncode:
        raise InterpreterBroken(
            f"The Python {executable} ended with exit code {process.returncode}: "
            f"{err.decode(errors='replace')[-300:]}",
            hint="Submit the job anew from a kernel that runs.",
        )
    python, path = json.loads(out)
    return Lock.seen(await asyncio.to_thread(environment_record, python=python, path=path))
