"""Virtual environments of the other servers, made once from their locks and kept until these change."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
MADE = HERE.parent.parent / ".remotes"


def environment(name: str) -> Path:
    """Return the environment that `<name>.lock` describes; installed where it is not there yet.

    A registry that does not answer is a failure, not a skip: without it a whole compute goes untested.
    """
    lock = HERE / f"{name}.lock"
    digest = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:12]
    made = MADE / f"{name}-{digest}"
    MADE.mkdir(exist_ok=True)
    # Several processes of pytest may want it at once.
    with (MADE / f"{name}.guard").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not (made / "complete").exists():
            for old in MADE.glob(f"{name}-*"):
                shutil.rmtree(old, ignore_errors=True)
            uv = [str(Path(sys.executable).with_name("uv"))]
            run([*uv, "venv", "--quiet", "--python", sys.executable, str(made)])
            python = str(made / "bin" / "python")
            run([*uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python, "-r", str(lock)])
            (made / "complete").touch()
    return made


def run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr}"
