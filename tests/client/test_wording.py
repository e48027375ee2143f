from datetime import UTC, datetime, timedelta

import pytest

from jupyter_mlws.client import card, job_table, wording
from jupyter_mlws.model.status import JobStatus
from tests.jobs.making import make_job

NOW = datetime(2026, 3, 12, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (60, "1 m"),
        (72, "1 m 12 s"),
        (7500, "2 h 5 m"),
        (273600, "3 d 4 h"),
    ],
)
def test_durations(seconds, text):
    assert wording.duration(seconds) == text


@pytest.mark.parametrize(
    ("dollars", "text"),
    [(0, "$0"), (0.0004, "<$0.001"), (0.012, "$0.012"), (3.4, "$3.40"), (1204, "$1,204")],
)
def test_money(dollars, text):
    assert wording.money(dollars) == text


def test_what_has_no_price_has_no_cost():
    assert wording.cost(60, price_per_hour=0) == ""
    assert wording.cost(60, price_per_hour=0.6) == "$0.010"
    job = make_job(status=JobStatus.COMPLETED).model_copy(update={"seconds": 60.0})
    paid = job.model_copy(update={"price_per_hour": 0.6})
    for shown in (card.line, card.text, lambda job: " ".join(job_table.cells(job))):
        assert "$" not in shown(job)
        assert "$0.010" in shown(paid)
    assert "$" not in card.html(job, workspace={})
    assert "$0.010" in card.html(paid, workspace={})


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=3), "3 min ago"),
        (timedelta(hours=5), "5 h ago"),
        (timedelta(days=1), "yesterday"),
        (timedelta(days=3), "3 days ago"),
    ],
)
def test_moments(ago, text):
    assert wording.ago(NOW - ago, now=NOW) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.84321, "0.8432"), (None, "NaN"), (7043, "7,043"), (float("inf"), "∞"), (1e-9, "1e-09")],
)
def test_measured_values(number, text):
    assert wording.value(number) == text


def test_every_status_has_a_shape_of_its_own_kind():
    assert wording.state(JobStatus.COMPLETED) == "✓ Completed"
    assert set(wording.SHAPES) == set(JobStatus)
