"""What the server hands over for MLflow, as a worker takes it; the server's side is in tests/tracking."""

from __future__ import annotations

import json

from attempts import prepare, start

BOOTSTRAP = """
import os, sys
def install(environment):
    os.environ.update(environment)
    sys.modules["__main__"].seen_by_bootstrap = sorted(environment)
"""


def hand_over(attempt, **fields):
    content = {"run_id": None, "environment": {}, "error": None, "bootstrap": None, **fields}
    incoming = attempt.root / "tracking.incoming"
    incoming.write_text(json.dumps(content))
    incoming.replace(attempt.root / "tracking.json")


def test_the_code_waits_for_the_handover(attempt, wait_for):
    job = attempt(
        code="import os; print(os.environ['MLFLOW_RUN_ID'], seen_by_bootstrap)", task={"tracking": True}
    )
    wait_for(lambda: any("MLflow" in text for text in job.messages))
    assert job.statuses == ["Preparing"]
    hand_over(job, environment={"MLFLOW_RUN_ID": "r'1"}, bootstrap=BOOTSTRAP)
    job.wait()
    assert job.text() == "r'1 ['MLFLOW_RUN_ID']\n"


def test_a_handover_that_is_there_at_once_is_not_mentioned(place):
    job = prepare(place.root / "a", code="print(1)", task={"tracking": True})
    hand_over(job, environment={"MLFLOW_RUN_ID": "1"}, bootstrap=BOOTSTRAP)
    start(job).wait()
    assert job.last["status"] == "Completed"
    assert job.messages == []


def test_without_mlflow_the_job_runs_and_says_so(attempt):
    job = attempt(code="print(1)", task={"tracking": True})
    hand_over(job, error="its port is taken.")
    job.wait()
    assert job.last["status"] == "Completed"
    assert any("its port is taken" in text for text in job.messages)


def test_a_broken_bootstrap_does_not_stop_the_job(attempt):
    job = attempt(code="print(1)", task={"tracking": True})
    hand_over(job, bootstrap="def install(environment): raise RuntimeError('no')")
    job.wait()
    assert job.last["status"] == "Completed"
    assert any("RuntimeError: no" in text for text in job.messages)


def test_a_cancel_while_waiting(attempt, wait_for):
    job = attempt(code="print(1)", task={"tracking": True})
    wait_for(lambda: job.of("kernel"))
    job.cancel()
    job.wait()
    assert job.statuses == ["Preparing", "Canceled"]
