"""Make a virtual environment for each peer, so that each runs with the versions that it asks for.

`python benchmarks/environments.py` makes them all in `.bench/` of the checkout; `jobs.py` does it itself.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / ".bench"

# The same kernel and the same scikit-learn everywhere: what differs is what drives them.
_IN_ALL = ["ipykernel==7.4.0", "scikit-learn==1.9.1"]
PACKAGES = {
    "jupyter_client": ["jupyter-client==8.10.0", *_IN_ALL],
    "nbclient": ["nbclient==0.11.0", *_IN_ALL],
    "papermill": ["papermill==2.7.0", *_IN_ALL],
    "jupyter_scheduler": ["jupyter-scheduler==2.12.1", "httpx==0.28.1", *_IN_ALL],
}


def ensure(peer: str) -> Path:
    """Return the Python of `peer`'s environment; make it, bytecode compiled, when it is not there.

    Raises `subprocess.CalledProcessError` when a package cannot be installed.
    """
    environment = FOLDER / peer
    python = environment / "bin" / "python"
    stamp = environment / "packages.txt"
    wanted = "\n".join(PACKAGES[peer])
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    print(f"making the environment of {peer}", file=sys.stderr)
    shutil.rmtree(environment, ignore_errors=True)
    uv = shutil.which("uv", path=Path(sys.executable).parent) or shutil.which("uv") or "uv"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, environment], check=True)
    install: list[str | Path] = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python]
    subprocess.run([*install, *PACKAGES[peer]], check=True)
    stamp.write_text(wanted, encoding="utf-8")
    return python


if __name__ == "__main__":
    for name in PACKAGES:
        print(name, ensure(name))
