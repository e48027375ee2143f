"""The walk of a new user, from an empty lab to a model that came back."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

TABLE = """%load_ext jupyter_mlws
import numpy as np, pandas as pd
rng = np.random.default_rng(0)
table = pd.DataFrame(rng.normal(size=(500, 3)), columns=["a", "b", "c"])
table["target"] = (table["a"] + table["b"] > 0).astype(int)
len(table)"""

TRAIN = """%%mlws submit --name train
import mlflow
from sklearn.linear_model import LogisticRegression
model = LogisticRegression().fit(table[["a", "b", "c"]], table["target"])
accuracy = float(model.score(table[["a", "b", "c"]], table["target"]))
mlflow.log_metric("accuracy", accuracy)
mlflow.sklearn.log_model(model, name="model", serialization_format="cloudpickle")
print("trained on", len(table), "rows")
table.head(3)"""

USE = """model = job.result("model")
print("predicts", model.predict(table[["a", "b", "c"]].iloc[:5]).tolist())"""

LONG = """%%mlws submit --name endless --job other
import time
for second in range(3600):
    print("second", second, flush=True)
    time.sleep(0.2)"""


def test_a_new_users_walk(start_lab: Any, write_notebook: Any, wait_for_status: Any) -> None:
    """Table, job, live card, result, cancel, kernel restart, reload; and MLflow has the run."""
    write_notebook("walk.ipynb", TABLE, TRAIN, USE, LONG)
    lab = start_lab(mlflow=True, base_url="/user/ada/")
    lab.open("walk.ipynb")
    lab.wait_for_kernel()

    lab.run_cell(0)
    expect(lab.output(0)).to_contain_text("500")

    lab.run_cell(1)
    train = lab.card("train")
    expect(train).to_be_visible()
    expect(train.locator(".mlws-Sent")).to_contain_text("table")
    expect(train.locator(".mlws-Status")).to_have_text("Completed")
    expect(train).to_contain_text("trained on 500 rows")
    expect(train.locator("table.dataframe")).to_be_visible()
    expect(train.locator(".mlws-Results")).to_contain_text("model")
    expect(train.locator(".mlws-Metric", has_text="accuracy")).to_be_visible()

    lab.run_cell(2)
    expect(lab.output(2)).to_contain_text(re.compile(r"predicts \[[01](, [01]){4}\]"))

    lab.run_cell(3)
    endless = lab.card("endless")
    expect(endless.locator(".mlws-Status")).to_have_text("Running")
    expect(endless).to_contain_text("second 2")
    endless.get_by_role("button", name="Cancel").click()
    # At once, before the server has done anything.
    expect(endless.locator(".mlws-Status")).to_have_text(re.compile("Canceling…|Canceled"))
    expect(endless.locator(".mlws-Status")).to_have_text("Canceled")
    expect(endless).to_contain_text("second 2")

    lab.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    lab.wait_for_kernel()
    expect(train.locator(".mlws-Status")).to_have_text("Completed")
    expect(train).to_contain_text("trained on 500 rows")

    lab.page.evaluate("() => window.jupyterapp.shell.currentWidget.context.save()")
    lab.reload()
    expect(lab.card("train").locator(".mlws-Status")).to_have_text("Completed")
    expect(lab.card("train")).to_contain_text("trained on 500 rows")
    expect(lab.card("train").locator(".mlws-Results")).to_contain_text("model")
    expect(lab.card("endless").locator(".mlws-Status")).to_have_text("Canceled")

    with lab.server.client() as client:
        (job,) = client.get("/jobs", params={"q": "train"}).json()["jobs"]
    assert job["metrics"]["accuracy"] > 0.9
    _is_in_mlflow(lab.server, job["run_id"])

    panel = lab.show_jobs()
    panel.get_by_role("button", name="MLflow").click()
    frame = lab.page.frame_locator(".mlws-Mlflow iframe")
    expect(frame.get_by_role("link", name="Default").first).to_be_visible()
    # Our work is training, and nobody asked for the assistant.
    expect(frame.get_by_placeholder("Ask a question")).to_have_count(0)
    assert lab.page.evaluate("localStorage['mlflow.workflowType_v1']") == '"machine_learning"'


def _is_in_mlflow(server: Any, run_id: str) -> None:
    """The run, its metric and its model, through MLflow's own REST behind Jupyter's login."""
    base = f"{server.url}mlws/mlflow"
    api = f"{base}/api/2.0/mlflow"
    with httpx.Client(headers=server.headers, timeout=60) as client:
        run = client.get(f"{api}/runs/get", params={"run_id": run_id}).json()["run"]
        metrics = {metric["key"]: metric["value"] for metric in run["data"]["metrics"]}
        assert metrics["accuracy"] > 0.9
        assert run["info"]["status"] == "FINISHED"
        found = client.post(
            f"{api}/logged-models/search", json={"experiment_ids": [run["info"]["experiment_id"]]}
        )
        assert found.status_code == 200, found.text
        sources = [model["info"].get("source_run_id") for model in found.json().get("models", [])]
        assert run_id in sources
