"""`make demo`, as a newcomer runs it, on a machine where nothing of ours has run before."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


@pytest.mark.slow
def test_the_demo_runs_both_jobs_and_tells_where_all_is(place: Any) -> None:
    done = subprocess.run(
        [sys.executable, EXAMPLES / "demo.py"],
        cwd=place.folder,
        env=place.environ(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    for name in ("train churn", "churn by contract"):
        assert f"{name} │ ✓ Completed" in done.stdout
        assert re.search(rf"{name}: job \w{{13}}, MLflow run [0-9a-f]{{32}}", done.stdout)
    (score,) = re.findall(r"test_auc\s*│\s*(0\.\d+)", done.stdout)
    assert 0.8 < float(score) < 0.9
    assert "Month-to-month" in done.stdout
    assert str(place.workspace) in done.stdout
    assert "make lab" in done.stdout
    assert not (EXAMPLES / "mlruns").exists()
