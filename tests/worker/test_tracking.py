"""What the server hands over for MLflow, as a worker takes it; the server's side is in tests/tracking."""

from __future__ import annotations

import json

from attempts import prepare, start

BOOTSTRAP = """
import os, sys
def install(handed, sink):
    os.environ.update(handed["environment"])
    sys.modules["__main__"].seen_by_bootstrap = sorted(handed["environment"])
"""


CODE = """
import os
print(os.environ.get("MLFLOW_RUN_ID"), globals().get("seen_by_bootstrap"))
"""


def hand_over(attempt, **fields):
    content = {"run_id": None, "environment": {}, "error": None, "bootstrap": None, **fields}
    incoming = attempt.root / "tracking.incoming"
    incoming.write_text(json.dumps(content))
    incoming.replace(attempt.root / "tracking.json")


def attempt_with(place, **fields):
    job = prepare(place.root / "a", code=CODE, task={"tracking": True})
    hand_over(job, **fields)
    return start(job).wait()


def test_the_code_runs_with_what_was_handed_over(place):
    job = attempt_with(place, environment={"MLFLOW_RUN_ID": "r'1"}, bootstrap=BOOTSTRAP)
    assert job.text() == "r'1 ['MLFLOW_RUN_ID']\n"
    assert job.messages == []


def test_without_mlflow_the_job_runs_and_says_so(place):
    job = attempt_with(place, error="its port is taken.")
    assert job.last["status"] == "Completed"
    assert any("its port is taken" in text for text in job.messages)


def test_without_a_handover_the_job_runs_and_says_so(attempt):
    job = attempt(code="print(1)", task={"tracking": True}).wait()
    assert job.last["status"] == "Completed"
    assert any("without a run" in text for text in job.messages)


def test_a_broken_bootstrap_does_not_stop_the_job(place):
    job = attempt_with(place, bootstrap="def install(handed, sink): raise RuntimeError('no')")
    assert job.last["status"] == "Completed"
    assert any("RuntimeError: no" in text for text in job.messages)


def test_what_mlflow_refused_is_said_once(attempt, wait_for):
    code = "import pathlib, time\nwhile not pathlib.Path('go').exists(): time.sleep(0.02)"
    job = attempt(code=code)
    wait_for(lambda: "Running" in job.statuses)
    refused = job.root / "mlflow" / "refused.jsonl"
    refused.parent.mkdir()
    refused.write_text('{"what": "the metric a", "message": "wrong"}\nbroken\n{"what": "half')
    wait_for(lambda: job.messages)
    with refused.open("a") as stream:
        stream.write(' of it", "message": "late"}\n')
    (job.root / "go").touch()
    job.wait()
    assert job.messages == [
        "MLflow did not take the metric a: wrong",
        "MLflow did not take half of it: late",
    ]
    assert {event["level"] for event in job.of("message")} == {"warning"}
