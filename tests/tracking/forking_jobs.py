"""Imports mlflow, then runs each piece of code that comes on stdin in a forked process."""

from __future__ import annotations

import atexit
import json
import os
import sys
import traceback
from typing import Any

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

import mlflow.sklearn  # noqa: F401
import sklearn.linear_model  # noqa: F401


def run(task: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    bootstrap: dict[str, Any] = {}
    try:
        exec(task["handover"]["bootstrap"], bootstrap)
        bootstrap["install"](task["handover"])
        exec(task["code"], {"__name__": "__main__", "J": task["handover"]["run_id"], "result": result})
    except BaseException:
        result["error"] = traceback.format_exc()
    # As when a kernel shuts down: mlflow ends what is active.
    atexit._run_exitfuncs()
    return result


for line in sys.stdin:
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        answer = json.dumps(run(json.loads(line)))
        with os.fdopen(write_end, "w") as pipe:
            pipe.write(answer)
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        print(pipe.read(), flush=True)
    os.waitpid(child, 0)
